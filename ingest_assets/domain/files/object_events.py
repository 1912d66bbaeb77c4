"""What a bucket says about its objects: S3's event notifications, as a queue delivers them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from ingest_assets.domain.errors import PermanentError

TEST_EVENT = "s3:TestEvent"
"""What S3 sends when somebody has set notifications up; it is about no object."""
_CREATED = ("ObjectCreated:", "ObjectRestore:Completed")
_REMOVED = ("ObjectRemoved:", "LifecycleExpiration:")


@dataclass(frozen=True, slots=True)
class ObjectEvent:
    bucket: str
    key: str
    size: int | None
    """How many bytes the object had then, if the event says so."""
    is_removal: bool

    @property
    def source(self) -> str:
        return source_of(self.bucket, self.key)


def source_of(bucket: str, key: str) -> str:
    """Return the source of a document that comes from a bucket."""
    return f"s3://{bucket}/{key}"


def place_of(source: str) -> tuple[str, str]:
    """Return the bucket and the key that a source names."""
    bucket, _, key = source.removeprefix("s3://").partition("/")
    return bucket, key


def parse_notification(message: str) -> list[ObjectEvent]:
    """Return the events in a message that are about an object's content: none, for instance, in S3's test message.

    Raises:
        PermanentError: notification_unreadable.
    """
    try:
        return list(_events(_unwrapped(json.loads(message))))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise PermanentError("notification_unreadable") from None


def _unwrapped(body: Any) -> Mapping[str, Any]:
    """Return the notification, also if a topic has passed it on in an envelope of its own."""
    if isinstance(body, dict) and body.get("Type") == "Notification":
        body = json.loads(body["Message"])
    if not isinstance(body, dict):
        raise TypeError
    return body


def _events(notification: Mapping[str, Any]) -> Iterator[ObjectEvent]:
    if notification.get("Event") == TEST_EVENT:
        return
    for record in notification["Records"]:
        name = record["eventName"].removeprefix("s3:")
        if name.startswith(_CREATED + _REMOVED):
            s3 = record["s3"]
            size = s3["object"].get("size")
            yield ObjectEvent(
                _text(s3["bucket"]["name"]),
                _text(unquote_plus(s3["object"]["key"], errors="strict")),
                size if isinstance(size, int) and size >= 0 else None,
                is_removal=name.startswith(_REMOVED),
            )


def _text(value: str) -> str:
    """Return a name that the database can hold.

    Raises:
        ValueError: It is empty, is no Unicode or contains a NUL.
    """
    value.encode()
    if not value or "\0" in value:
        raise ValueError
    return value
