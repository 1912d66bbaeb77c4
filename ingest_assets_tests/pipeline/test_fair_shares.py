"""Large and slow documents do not hold up small ones, and small ones do not starve large ones.

The order of events decides, not the time: documents wait for each other, and whoever would wait for ever fails a test.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Document, ParsedDocument, Producer, UserId
from ingest_assets.domain.errors import ResourceError
from ingest_assets.domain.queue.jobs import LIGHT_BYTES
from ingest_assets.domain.queue.retry_policy import RetryPolicy
from ingest_assets.pipeline import drain_worker
from ingest_assets.pipeline.drain import DrainLimits, DrainTotals
from ingest_assets_tests.documents import submit

SECONDS = 60
"""For what would otherwise wait for ever."""
LARGE = b"a " * LIGHT_BYTES
MADE = Producer("test", "1")


@dataclass
class Read:
    """Reads a few words of each document, and has each call `wait` before that."""

    wait: Callable[[str], object]
    begun: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)

    def producer_of(self, media_type: str) -> Producer:  # noqa: ARG002  the same for every type
        return MADE

    def costs_nothing(self, media_type: str) -> bool:  # noqa: ARG002  the same for every type
        return True

    def parse(self, content: bytes, document: Document) -> ParsedDocument:  # noqa: ARG002  the name is enough
        self.begun.append(document.filename)
        self.wait(document.filename)
        self.read.append(document.filename)
        return ParsedDocument(f"The document {document.filename} covers fire.", (), MADE)


def waited(event: Event) -> None:
    if not event.wait(SECONDS):
        raise TimeoutError


def drained(deployment: Deployment, parser: Read, in_flight: int = 2) -> DrainTotals:
    limits = DrainLimits(in_flight=in_flight, ahead=2, idle=timedelta(0))
    return deployment.replacing(parser=parser).drain.run("worker", limits, stop=Event(), report=lambda: None)


def submit_many(deployment: Deployment, user: UserId, count: int, name: str, content: bytes) -> list[str]:
    names = [f"{name}-{number}.txt" for number in range(count)]
    for each in names:
        submit(deployment, user, content + each.encode(), each)
    return names


def test_good_small_documents_do_not_wait_for_all_the_slow_large_ones_before_them(
    deployment: Deployment, user: UserId
) -> None:
    submit_many(deployment, user, 12, "slow", LARGE)
    good = submit_many(deployment, user, 20, "good", b"")
    all_good = Event()

    def wait(name: str) -> None:
        if name.startswith("slow"):
            waited(all_good)
        elif set(parser.begun) >= set(good):
            all_good.set()

    parser = Read(wait)
    assert drained(deployment, parser) == DrainTotals(done=32)
    assert {name for name in parser.read[:20] if name.startswith("good")} >= set(good[:-1])


def test_a_large_document_that_does_not_fit_beside_another_lets_small_ones_pass(
    deployment: Deployment, user: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain_worker, "MOST_HEAVY_BYTES", len(LARGE) * 3 // 2)
    submit_many(deployment, user, 2, "large", LARGE)
    submit_many(deployment, user, 4, "small", b"")
    all_small = Event()

    def wait(name: str) -> None:
        if name.startswith("large"):
            waited(all_small)
        elif name == "small-3.txt":
            all_small.set()

    parser = Read(wait)
    assert drained(deployment, parser, in_flight=4) == DrainTotals(done=6)
    assert parser.begun.index("large-1.txt") > parser.begun.index("small-3.txt")


def test_a_large_document_is_not_starved_by_small_ones(deployment: Deployment, user: UserId) -> None:
    submit_many(deployment, user, 3, "large", LARGE)
    submit_many(deployment, user, 30, "small", b"")
    begun = {f"large-{number}.txt": Event() for number in range(3)}
    small = Event()

    def wait(name: str) -> None:
        begun.get(name, Event()).set()
        if name == "large-0.txt":
            waited(small)
        elif name == "small-5.txt":
            small.set()
        elif name == "small-10.txt":
            waited(begun["large-1.txt"])
        elif name == "small-20.txt":
            waited(begun["large-2.txt"])

    assert drained(deployment, Read(wait)) == DrainTotals(done=33)


def test_a_worker_that_computes_on_one_document_at_a_time_takes_them_as_they_come(
    deployment: Deployment, user: UserId
) -> None:
    submit_many(deployment, user, 1, "large", LARGE)
    submit_many(deployment, user, 2, "small", b"")
    parser = Read(lambda _: None)
    drained(deployment, parser, in_flight=1)
    assert parser.begun == ["large-0.txt", "small-0.txt", "small-1.txt"]


def test_small_documents_that_prove_to_be_slow_join_the_large_ones_and_lose_no_attempt(
    deployment: Deployment, user: UserId
) -> None:
    slow = submit_many(deployment, user, 12, "slow", b"")
    good = submit_many(deployment, user, 6, "good", b"")

    class Slow(Read):
        def parse(self, content: bytes, document: Document) -> ParsedDocument:
            if document.is_tried_shortly and document.filename in slow:
                self.begun.append(document.filename)
                raise ResourceError("parsing_slow", seconds=10)
            return super().parse(content, document)

    parser = Slow(lambda _: None)
    patient = deployment.replacing(retry_policy=RetryPolicy(resource_delay=timedelta(0)))
    assert drained(patient, parser).done == 18
    assert {name: parser.begun.count(name) for name in slow + good} == dict.fromkeys(slow, 2) | dict.fromkeys(good, 1)
    assert deployment.documents.by_stage_and_state() == {"embedded/done": 18}
