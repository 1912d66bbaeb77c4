"""A second net under the logs that removes keys, tokens and addresses. Secrets should never get this far."""

import re
from collections.abc import Callable, Iterable

REDACTED = "[redacted]"

_SECRETS = (
    re.compile(r"(?<=\bBearer )[^\s\"',;]+", re.IGNORECASE),
    re.compile(r"\beyJ[\w-]{8,}\.[\w.-]+"),
    re.compile(r"(?<=://)[^/\s@]+(?=@)"),
    re.compile(r"(?<=[?&])(?:secret|token|key|api_key|password|filename|query)=[^&\s]+", re.IGNORECASE),
    # The match starts where nothing like it precedes, so that a long text is searched once.
    re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
)


def redactor(key_patterns: Iterable[str]) -> Callable[[str], str]:
    """Return a function that replaces secrets in a text.

    The secrets are bearer tokens, JWTs, passwords in URLs, e-mail addresses and keys. The function is idempotent.

    Args:
        key_patterns: Regular expressions for the keys of providers; a match starts where no letter precedes it.
    """
    secrets = (*(re.compile(f"(?<![A-Za-z])(?:{pattern})") for pattern in key_patterns), *_SECRETS)

    def without_secrets(text: str) -> str:
        for secret in secrets:
            text = secret.sub(REDACTED, text)
        return text

    return without_secrets
