"""A second net under what is logged: keys, tokens, addresses. What matters never gets as far as here."""

import re
from collections.abc import Callable, Iterable

REDACTED = "[redacted]"

_SECRETS = (
    re.compile(r"(?<=\bBearer )[^\s\"',;]+", re.IGNORECASE),
    re.compile(r"\beyJ[\w-]{8,}\.[\w.-]+"),
    re.compile(r"(?<=://)[^/\s@]+(?=@)"),
    re.compile(r"(?<=[?&])(?:secret|token|key|api_key|password|filename|query)=[^&\s]+", re.IGNORECASE),
    # Begins where nothing like it stands before, so that a long text is searched once.
    re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
)


def redactor(key_patterns: Iterable[str]) -> Callable[[str], str]:
    """Return what takes secrets out of a text: bearer tokens, JWTs, passwords in URLs, e-mail addresses, and keys.

    What it returns is idempotent.

    Args:
        key_patterns: Regular expressions for the keys of providers; each begins where no letter stands before.
    """
    secrets = (*(re.compile(f"(?<![A-Za-z])(?:{pattern})") for pattern in key_patterns), *_SECRETS)

    def without_secrets(text: str) -> str:
        for secret in secrets:
            text = secret.sub(REDACTED, text)
        return text

    return without_secrets
