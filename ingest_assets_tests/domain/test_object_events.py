"""What is read in the messages of a queue, whoever wrote them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.files.object_events import ObjectEvent, parse_notification, place_of, source_of


def record(name: str = "ObjectCreated:Put", key: Any = "a.md", bucket: Any = "claims", size: Any = 7) -> dict[str, Any]:
    return {"eventName": name, "s3": {"bucket": {"name": bucket}, "object": {"key": key, "size": size}}}


def parse(*records: Any) -> list[ObjectEvent]:
    return parse_notification(json.dumps({"Records": records}))


def test_keys_are_decoded() -> None:
    [event] = parse(record(key="c+d%2F%C3%A4%2Bb.md"))
    assert event == ObjectEvent("claims", "c d/ä+b.md", 7, is_removal=False)
    assert event.source == "s3://claims/c d/ä+b.md"
    assert place_of(event.source) == ("claims", "c d/ä+b.md")


@pytest.mark.parametrize(
    ("name", "is_removal"),
    [
        ("ObjectCreated:Put", False),
        ("ObjectCreated:CompleteMultipartUpload", False),
        ("s3:ObjectCreated:Copy", False),
        ("ObjectRestore:Completed", False),
        ("ObjectRemoved:Delete", True),
        ("ObjectRemoved:DeleteMarkerCreated", True),
        ("LifecycleExpiration:Delete", True),
    ],
)
def test_objects_come_and_go(name: str, is_removal: bool) -> None:  # noqa: FBT001
    assert [event.is_removal for event in parse(record(name))] == [is_removal]


def test_what_is_about_no_content_is_no_event() -> None:
    assert parse(record("ObjectTagging:Put"), record("ObjectRestore:Post")) == []
    assert parse_notification(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "claims"})) == []


def test_a_topic_may_have_passed_a_notification_on() -> None:
    inner = json.dumps({"Records": [record()]})
    outer = json.dumps({"Type": "Notification", "MessageId": "1", "Message": inner})
    assert parse_notification(outer) == parse(record())


@pytest.mark.parametrize("size", [None, -1, "7", 1.5])
def test_a_size_that_is_none_is_not_believed(size: Any) -> None:
    [event] = parse(record(size=size))
    assert event.size is None


@pytest.mark.parametrize(
    "message",
    [
        "",
        "no JSON",
        "[]",
        "7",
        "{}",
        '{"Records": 7}',
        '{"Records": [7]}',
        '{"Type": "Notification"}',
        '{"Type": "Notification", "Message": 7}',
        "[" * 100_000,
        json.dumps({"Records": [record(key="%00")]}),
        json.dumps({"Records": [record(key="%FF")]}),
        json.dumps({"Records": [record(key="\ud800")]}),
        json.dumps({"Records": [record(key="")]}),
        json.dumps({"Records": [record(key=7)]}),
        json.dumps({"Records": [record(bucket=None)]}),
        json.dumps({"Records": [record(), {"eventName": "ObjectCreated:Put"}]}),
    ],
)
def test_a_message_that_is_no_notification_is_refused(message: str) -> None:
    with pytest.raises(PermanentError, match="notification_unreadable"):
        parse_notification(message)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["Records", "eventName", "s3", "Type"]), inner),
    max_leaves=10,
)


@given(JSON)
def test_no_message_does_anything_but_being_read_or_refused(body: Any) -> None:
    try:
        events = parse_notification(json.dumps(body))
    except PermanentError:
        return
    assert isinstance(events, list)


@given(st.from_regex(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", fullmatch=True), st.text(min_size=1))
def test_a_source_names_its_place(bucket: str, key: str) -> None:
    assert place_of(source_of(bucket, key)) == (bucket, key)
