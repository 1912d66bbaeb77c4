"""Keys of providers, read when they are used: a rotated file counts at once."""

from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr

from ingest_assets.domain.errors import ResourceError


def key_reader(value: SecretStr | None, file: Path | None) -> Callable[[], str] | None:
    """Where a file is named, it is asked each time. What is returned raises ResourceError key_missing."""
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
