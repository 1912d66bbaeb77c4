"""Objects that users keep in buckets, read as files are."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from ingest_assets.adapters.aws import client_of, status_of, translated
from ingest_assets.adapters.ignore_rules import IgnoreRules
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.files.object_events import place_of

MISSING = 404
REFUSED = range(400, 500)
SLOW_DOWN = 429


class BucketObjects:
    """Objects by sources like `s3://bucket/key`; at most one byte more than `max_bytes` of each is read.

    Args:
        max_bytes: The size limit.
        include: Patterns as in `.gitignore` of keys, at least one of which is to match, if there are any.
        exclude: Patterns of keys that nobody wants.
    """

    def __init__(self, max_bytes: int, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> None:
        self._max_bytes = max_bytes
        self._rules = IgnoreRules("/", include, exclude)

    def read(self, path: str, within: str | None = None) -> bytes:  # noqa: ARG002  there are no links
        bucket, key = place_of(path)
        with translated():
            try:
                body = self._client.get_object(Bucket=bucket, Key=key)["Body"]
            except ClientError as error:
                raise _problem(error) from None
            with body:
                return bytes(body.read(self._max_bytes + 1))

    def is_gone(self, path: str) -> bool:
        bucket, key = place_of(path)
        with translated():
            try:
                self._client.head_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if status_of(error) not in REFUSED or status_of(error) == SLOW_DOWN:
                    raise
                return status_of(error) == MISSING
            return False

    def ignores(self, path: str) -> bool:
        _, key = place_of(path)
        return self._rules.ignores(f"/{key}", is_folder=False)

    @cached_property
    def _client(self) -> Any:
        return client_of("s3")


def _problem(error: ClientError) -> Exception:
    status = status_of(error)
    if status == MISSING and error.response["Error"]["Code"] != "NoSuchBucket":
        return PermanentError("path_missing")
    return PermanentError("unreadable_file") if status in REFUSED and status != SLOW_DOWN else error
