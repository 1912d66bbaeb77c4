"""Clients of AWS and of services that speak like it; settings come from the variables and files of AWS."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.session import get_session

from ingest_assets.domain.errors import OutageError, PermanentError

CONNECTIONS = 10


def client_of(service: str, region: str | None = None) -> Any:
    """Return a client, which several threads may use.

    Raises:
        PermanentError: source_refused, if the settings are no use.
    """
    config = Config(
        connect_timeout=5,
        read_timeout=60,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=CONNECTIONS,
    )
    try:
        return get_session().create_client(service, region_name=region, config=config)
    except (BotoCoreError, ValueError):
        raise PermanentError("source_refused") from None


@contextmanager
def translated() -> Iterator[None]:
    """Turn the client's errors into an outage, without their messages, which name queues, buckets and keys.

    Raises:
        OutageError: source_unreachable.
    """
    try:
        yield
    except (BotoCoreError, HTTPClientError, ClientError):
        raise OutageError("source_unreachable") from None


def status_of(error: ClientError) -> int:
    """Return the HTTP status of a refusal."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
