"""Buckets that notify a queue, and a watch of it, against moto's server."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from ingest_assets.adapters.bucket_objects import BucketObjects
from ingest_assets.adapters.notification_queue import NotificationQueue
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import OutageError, PermanentError
from ingest_assets.pipeline.bucket_arrivals import BucketArrivals
from ingest_assets.pipeline.file_intake import FileIntake
from ingest_assets.pipeline.pruning import SourcePruning
from ingest_assets_tests.contracts.intake_contract import FilesContract, ObjectFilesContract
from ingest_assets_tests.contracts.watching_contract import EventSourceContract, Told, go_on, told_by, watch
from ingest_assets_tests.documents import MAX_BYTES, TEST, policy_text
from ingest_assets_tests.moto import Moto, NotifyingBucket, moto, needs_moto
from ingest_assets_tests.seaweedfs import free_ports
from ingest_assets_tests.waiting import until

pytestmark = needs_moto


@pytest.fixture(scope="module")
def server() -> Iterator[Moto]:
    with moto() as running:
        yield running


@pytest.fixture(autouse=True)
def login(server: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)


@dataclass
class BucketPlace:
    bucket: NotifyingBucket

    def opened(self, wait_seconds: int = 1) -> NotificationQueue:
        return NotificationQueue(f"sqs://{self.bucket.name}", wait_seconds=wait_seconds)

    def arrivals(self, deployment: Deployment, user: UserId) -> BucketArrivals:
        objects = BucketObjects(MAX_BYTES)
        intake = FileIntake(deployment.intake, objects, user, verify=True)
        pruning = SourcePruning(deployment.intake_records, deployment.documents, deployment.deletion, objects)
        return BucketArrivals(objects, intake, TEST, pruning)

    def arrive(self, name: str, text: str) -> str:
        return self.bucket.put(name, text)

    def leave(self, name: str) -> None:
        self.bucket.delete(name)

    def pass_time(self) -> None:
        """Leave it to the queue, which does not hide messages for long."""


def without_test_event(bucket: NotifyingBucket) -> BucketPlace:
    bucket.sqs.purge_queue(QueueUrl=bucket.queue)
    return BucketPlace(bucket)


@pytest.fixture
def place(server: Moto) -> BucketPlace:
    return without_test_event(NotifyingBucket(server))


class TestNotificationQueue(EventSourceContract):
    @pytest.fixture
    def place(self, place: BucketPlace) -> BucketPlace:
        return place


class TestBucketObjects(FilesContract, ObjectFilesContract):
    @pytest.fixture
    def files(self) -> BucketObjects:
        return BucketObjects(100)

    @pytest.fixture
    def some_files(self) -> BucketObjects:
        return BucketObjects(100, include=["*.md"], exclude=["drafts/"])

    @pytest.fixture
    def appear(self, place: BucketPlace) -> Callable[[str, bytes], str]:
        return lambda name, content: place.bucket.put(name, content.decode())

    @pytest.fixture
    def vanish(self, place: BucketPlace) -> Callable[[str], None]:
        return lambda path: place.leave(path.rpartition("/")[2])


def test_the_test_message_of_s3_is_deleted_without_a_word(server: Moto, deployment: Deployment, user: UserId) -> None:
    place, told = BucketPlace(NotifyingBucket(server)), Told()
    assert place.bucket.waiting() == 1
    source = place.opened()
    go_on(watch(source, place.arrivals(deployment, user), told), place, lambda: place.bucket.waiting() == 0)
    assert (told.outcomes, told.troubles) == ([], [])
    source.close()


def test_a_message_that_nobody_can_read_is_told_once_and_goes_to_the_dead_letters(
    server: Moto, deployment: Deployment, user: UserId
) -> None:
    place, told = without_test_event(NotifyingBucket(server, receives=2, hidden_seconds=1)), Told()
    source = place.opened()
    watching = watch(source, place.arrivals(deployment, user), told)
    place.bucket.send("poison")
    nowhere = {"s3": {"bucket": {"name": "no-such-bucket"}, "object": {"key": "a.md"}}}
    place.bucket.send(json.dumps({"Records": [nowhere | {"eventName": "ObjectCreated:Put"}]}))
    good = place.arrive("good.md", policy_text("A"))
    go_on(watching, place, lambda: place.bucket.waiting(place.bucket.dead_letters) == 2)
    assert told.counts == {"notification_unreadable": 1, "unreadable_file": 1, "queued": 1}
    assert told.of(good) == ["queued"]
    assert place.bucket.waiting() == 0
    source.close()


def test_a_message_stays_hidden_from_others_while_it_is_worked_on(server: Moto) -> None:
    place = without_test_event(NotifyingBucket(server, hidden_seconds=1))
    place.arrive("a.md", "text")
    holder = place.opened()
    assert told_by(holder, place)
    other = place.opened(wait_seconds=3)
    assert other.receive() == []
    holder.close()
    assert len(told_by(other, place)) == 1
    other.close()


def test_an_acknowledgement_that_comes_too_late_does_no_harm(place: BucketPlace) -> None:
    place.arrive("a.md", "text")
    source = place.opened()
    [notice] = told_by(source, place)
    source.acknowledge(notice)
    source.acknowledge(notice)
    assert place.bucket.waiting() == 0
    source.close()


def test_what_is_no_document_is_skipped_and_what_is_too_large_is_refused(
    place: BucketPlace, deployment: Deployment, user: UserId
) -> None:
    source, told = place.opened(), Told()
    watching = watch(source, place.arrivals(deployment, user), told)
    expected = {
        place.arrive("folder/", ""): ["empty_file"],
        place.arrive("~$draft.docx", "lock"): ["temporary_file"],
        place.arrive("large.md", "x" * (MAX_BYTES + 1)): ["too_large"],
        place.arrive("data.bin", "\x01\x02\x03"): ["unsupported"],
    }
    gone = place.arrive("gone.md", policy_text("gone"))
    place.leave("gone.md")
    go_on(watching, place, lambda: place.bucket.waiting() == 0)
    assert {source: told.of(source) for source in expected} == expected
    assert set(told.of(gone)) <= {"path_missing"}
    source.close()


def test_a_queue_that_is_not_there_is_refused_and_one_that_does_not_answer_is_an_outage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(PermanentError, match="source_refused"):
        NotificationQueue("sqs://nowhere")
    [port] = free_ports(1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    with pytest.raises(OutageError, match="source_unreachable"):
        NotificationQueue("sqs://nowhere")


def test_a_queue_may_be_named_by_its_url(place: BucketPlace) -> None:
    place.arrive("a.md", "text")
    source = NotificationQueue(f"sqs://{place.bucket.queue}", wait_seconds=1)
    assert len(until(source.receive)) == 1
    source.close()
