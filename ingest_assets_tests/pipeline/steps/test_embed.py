"""Batches under way together: stored as they arrive, none lost to another's failure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Barrier, Event, Lock, get_ident

import pytest

from ingest_assets.adapters.lexical_embedder import LexicalEmbedder
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Document, UserId, Vectors
from ingest_assets.domain.errors import TransientError
from ingest_assets.pipeline.concurrency import as_they_come
from ingest_assets_tests.documents import TEST, drain_all, policy_text, submit

SECONDS = 20
"""Until a test that would wait forever gives up."""


def test_calls_are_under_way_together() -> None:
    together = Barrier(3)

    def call(number: int) -> int:
        together.wait(SECONDS)
        return number

    assert sorted(as_they_come(call, range(6), 3)) == [0, 1, 2, 3, 4, 5]


def test_no_more_calls_are_under_way_than_allowed() -> None:
    under_way, most, lock = set[int](), list[int](), Lock()

    def call(number: int) -> None:
        with lock:
            under_way.add(number)
            most.append(len(under_way))
        with lock:
            under_way.remove(number)

    assert len(list(as_they_come(call, range(50), 3))) == 50
    assert max(most) <= 3


def test_a_result_does_not_wait_for_an_earlier_slower_one() -> None:
    drawn = Event()

    def call(name: str) -> str:
        return name if name == "fast" or drawn.wait(SECONDS) else "late"

    results = as_they_come(call, ["slow", "fast"], 2)
    assert next(results) == "fast"
    drawn.set()
    assert list(results) == ["slow"]


def test_what_is_under_way_beside_a_failure_still_arrives_and_nothing_begins_after_it() -> None:
    together, begun, arrived = Barrier(3), set[int](), set[int]()

    def call(number: int) -> int:
        begun.add(number)
        if number < 3:
            together.wait(SECONDS)
        if number == 1:
            raise TransientError("service_busy", name="x")
        return number

    with pytest.raises(TransientError, match="service_busy"):  # noqa: PT012
        for number in as_they_come(call, range(100_000), 3):
            arrived.add(number)
    assert {0, 2} <= arrived
    assert arrived == begun - {1}
    assert len(begun) < 100_000


@pytest.mark.parametrize("at_once", [1, 4])
def test_nothing_is_called_before_a_result_is_drawn(at_once: int) -> None:
    called = list[int]()
    results = as_they_come(called.append, range(9), at_once)
    assert not called
    next(results)
    assert 1 <= len(called) <= at_once


def test_one_call_at_a_time_needs_no_thread() -> None:
    assert set(as_they_come(lambda _: get_ident(), range(3), 1)) == {get_ident()}


def test_no_items_make_no_results() -> None:
    assert list(as_they_come(str, [], 1)) == list(as_they_come(str, [], 4)) == []


@dataclass
class FailingOnce(LexicalEmbedder):
    """Three batches under way; one of the first three fails, once all of them have begun."""

    paid: list[str] = field(default_factory=list)
    together: Barrier = field(default_factory=lambda: Barrier(3))
    calls: int = 0
    lock: Lock = field(default_factory=Lock)
    max_inputs = 2
    max_in_flight = 3
    costs_nothing = False

    def embed(self, texts: Sequence[str], document: Document) -> Vectors:
        with self.lock:
            self.calls += 1
            call = self.calls
        if call <= 3:
            self.together.wait(SECONDS)
        if call == 2:
            raise TransientError("service_busy", name="x")
        with self.lock:
            self.paid.extend(texts)
        return super().embed(texts, document)


def test_batches_beside_a_failed_one_are_stored_and_not_paid_again(
    deployment: Deployment, user: UserId, database_url: str
) -> None:
    embedder = FailingOnce()
    failing = deployment.replacing(embedder=embedder)
    accepted = submit(failing, user, policy_text(paragraphs=24))
    drain_all(failing)
    before = len(embedder.paid)
    failing.operations.replay([accepted.document_id], TEST)
    drain_all(failing)
    assert failing.documents.counts()["searchable"] == 1
    assert len(embedder.paid) == len(set(embedder.paid)) > before >= 4
