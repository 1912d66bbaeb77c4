"""What only the HTTP service needs to know."""

from pathlib import Path

from pydantic import SecretStr

from ingest_assets.adapters.keys import key_reader


def secret_of(value: SecretStr | None, file: Path | None) -> str | None:
    """Return a secret from its file or the environment, if there is one.

    Raises:
        ResourceError: key_missing.
    """
    read = key_reader(value, file)
    return None if read is None else read()
