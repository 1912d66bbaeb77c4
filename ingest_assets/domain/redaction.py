"""A second net under what is logged: keys, tokens, addresses. What matters never gets as far as here."""

import re

REDACTED = "[redacted]"

_SECRETS = (
    re.compile(r"(?<![A-Za-z])(?:sk|llx)-[\w-]{8,}"),
    re.compile(r"(?<=\bBearer )[^\s\"',;]+", re.IGNORECASE),
    re.compile(r"\beyJ[\w-]{8,}\.[\w.-]+"),
    re.compile(r"(?<=://)[^/\s@]+(?=@)"),
    re.compile(r"(?<=[?&])(?:secret|token|key|api_key|password|filename|query)=[^&\s]+", re.IGNORECASE),
    # Begins where nothing like it stands before, so that a long text is searched once.
    re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
)


def without_secrets(text: str) -> str:
    """Without keys of OpenAI and LlamaParse, bearer tokens, JWTs, passwords in URLs, e-mail addresses. Idempotent."""
    for secret in _SECRETS:
        text = secret.sub(REDACTED, text)
    return text
