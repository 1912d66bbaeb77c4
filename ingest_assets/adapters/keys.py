"""The keys of providers, read whenever they are used, so that a rotated file takes effect at once."""

from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr

from ingest_assets.domain.errors import ResourceError


def key_reader(value: SecretStr | None, file: Path | None) -> Callable[[], str] | None:
    """Return a function that gives a provider's key, or None if neither a key nor a file is set.

    A file takes precedence, and is read on each call. The function raises ResourceError key_missing.
    """
    if file is not None:
        return lambda: _read(file)
    if value is not None:
        return value.get_secret_value
    return None


def _read(file: Path) -> str:
    try:
        key = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ResourceError("key_missing") from None
    if not key:
        raise ResourceError("key_missing")
    return key
