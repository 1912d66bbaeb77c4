"""A worker meets failures outside its documents: it loses none of them, keeps none, and never waits for ever."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import (
    VECTOR_DIMENSIONS,
    Document,
    DocumentId,
    EmbeddedBatch,
    ParsedDocument,
    Producer,
    UserId,
)
from ingest_assets.domain.errors import OutageError, ResourceError
from ingest_assets.domain.queue.changes import Change, Move
from ingest_assets.domain.queue.jobs import Actor, Payload
from ingest_assets.domain.queue.retry_policy import RetryPolicy
from ingest_assets.domain.queue.stages import Stage, State
from ingest_assets.pipeline import drain_worker, outages
from ingest_assets.pipeline.drain import DrainLimits, DrainTotals
from ingest_assets.pipeline.ports.processing import Changes
from ingest_assets.pipeline.progress import DeferredProgress
from ingest_assets_tests.documents import TEST, drain_all, move, policy_text, submit, take_through

SECONDS = 20
"""For what would otherwise wait for ever."""


@dataclass
class Interposed:
    """Calls `watch` with the changes and what writes them, instead of writing them."""

    changes: Changes
    watch: Callable[[Changes, Sequence[Change]], list[Payload] | None]

    def write_all(self, changes: Sequence[Change], *, reported: bool) -> list[Payload]:
        written = self.watch(self.changes, changes)
        return self.changes.write_all(changes, reported=reported) if written is None else written


@dataclass
class Paid:
    """Parses like a provider: each document calls `wait`."""

    behind: LocalParser
    wait: Callable[[], object]
    costs: bool = True
    parsed: list[Document] = field(default_factory=list)

    def producer_of(self, media_type: str) -> Producer:
        return self.behind.producer_of(media_type)

    def costs_nothing(self, media_type: str) -> bool:  # noqa: ARG002  the same for every type
        return not self.costs

    def parse(self, content: bytes, document: Document) -> ParsedDocument:
        self.parsed.append(document)
        self.wait()
        return self.behind.parse(content, document)


def state_of(deployment: Deployment, document_id: DocumentId) -> State:
    status = deployment.documents.status(document_id)
    assert status is not None
    return status.state


def test_a_document_whose_changes_cannot_be_written_at_all_harms_no_other(deployment: Deployment, user: UserId) -> None:
    poison = submit(deployment, user, policy_text("Poison", 2), "poison.md").document_id
    others = [submit(deployment, user, policy_text(f"Subject {n}", 2), f"{n}.md").document_id for n in range(4)]

    def refuse(_: Changes, changes: Sequence[Change]) -> None:
        if any(change.job.document.document_id == poison and change.chunked for change in changes):
            raise ValueError("the driver cannot send this text")

    totals = drain_all(deployment.replacing(changes=Interposed(deployment.changes, refuse)))
    assert (totals.done, totals.failed) == (4, 1)
    assert [state_of(deployment, each) for each in others] == [State.DONE] * 4
    assert state_of(deployment, poison) is State.RETRYABLE


@dataclass
class Outage:
    """Fails in some calls of some methods, as the database does while it is away."""

    behind: Any
    calls: dict[str, set[int]]
    """The calls that fail, counted from 1, by method."""
    acts: bool = False
    """Whether the call does what it is asked to before its answer is lost."""
    counted: Counter[str] = field(default_factory=Counter)
    failed: Event = field(default_factory=Event)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.behind, name)
        if name not in self.calls:
            return method

        def call(*given: Any, **named: Any) -> Any:
            self.counted[name] += 1
            fails = self.counted[name] in self.calls[name]
            result = method(*given, **named) if self.acts or not fails else None
            if fails:
                self.failed.set()
                raise OutageError("database_unreachable")
            return result

        return call


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(drain_worker, "OUTAGE_SECONDS", 0.05)


@pytest.mark.parametrize("answer_is_lost", [False, True])
@pytest.mark.parametrize("method", ["claim", "begin", "renew", "release", "reclaim"])
def test_a_worker_outlasts_an_outage_of_the_queue(
    deployment: Deployment, user: UserId, method: str, *, answer_is_lost: bool
) -> None:
    for number in range(6):
        submit(deployment, user, policy_text(f"Subject {number}", 2), f"{number}.md")
    away = Outage(deployment.claims, {method: {1, 2}}, acts=answer_is_lost)
    broken = deployment.replacing(claims=away)
    drain_all(broken)
    assert broken.documents.by_stage_and_state() == {"embedded/done": 6}


@pytest.mark.parametrize("answer_is_lost", [False, True])
def test_a_commit_is_repeated_after_an_outage(deployment: Deployment, user: UserId, *, answer_is_lost: bool) -> None:
    document_ids = [submit(deployment, user, policy_text(f"Subject {n}", 2), f"{n}.md").document_id for n in range(4)]
    away = Outage(deployment.changes, {"write_all": {1, 2}}, acts=answer_is_lost)
    drain_all(deployment.replacing(changes=away))
    assert [state_of(deployment, each) for each in document_ids] == [State.DONE] * 4
    for document_id in document_ids:
        history = deployment.documents.history(document_id)
        assert [event.stage for event in history].count(Stage.EMBEDDED) == 1


def test_documents_whose_commit_was_acknowledged_to_nobody_count_as_done(deployment: Deployment, user: UserId) -> None:
    for number in range(3):
        submit(deployment, user, policy_text(f"Subject {number}", 2), f"{number}.md")
    away = Outage(deployment.changes, {"write_all": {1}}, acts=True)
    totals = drain_all(deployment.replacing(changes=away))
    assert (totals.done, totals.failed) == (3, 0)


def test_a_worker_that_cannot_begin_documents_begins_them_later(
    deployment: Deployment, parser: LocalParser, user: UserId
) -> None:
    away = Outage(deployment.claims, {"begin": {2, 3}})
    paid = Paid(parser, lambda: away.failed.wait(SECONDS))
    for number in range(3):
        submit(deployment, user, policy_text(f"Subject {number}", 2), f"{number}.md")
    broken = deployment.replacing(claims=away, parser=paid)
    ended: list[DrainTotals] = []

    def work() -> None:
        limits = DrainLimits(in_flight=1, ahead=4, idle=timedelta(0))
        ended.append(broken.drain.run("worker", limits, stop=Event(), report=lambda: None))

    worker = Thread(target=work, daemon=True)
    worker.start()
    worker.join(SECONDS)
    assert [(totals.done, totals.failed, totals.released) for totals in ended] == [(3, 0, 0)]


def test_a_failure_that_cannot_be_recorded_is_recorded_after_the_outage(
    deployment: Deployment, parser: LocalParser, user: UserId
) -> None:
    failing = submit(deployment, user, policy_text("Failing", 2), "failing.md").document_id
    other = submit(deployment, user, policy_text("Other", 2), "other.md").document_id
    both = Event()

    def meet() -> None:
        if len(paid.parsed) == 2:
            both.set()
        both.wait(SECONDS)

    paid = Paid(parser, meet, costs=False)

    def refuse(_: Changes, changes: Sequence[Change]) -> None:
        if any(change.job.document.document_id == failing for change in changes):
            raise ValueError("the driver cannot send this text")

    away = Outage(deployment.claims, {"settle": {1, 2}})
    broken = deployment.replacing(claims=away, parser=paid, changes=Interposed(deployment.changes, refuse))
    totals = drain_all(broken)
    assert (totals.done, totals.failed, totals.released) == (1, 1, 0)
    assert state_of(deployment, other) is State.DONE
    assert state_of(deployment, failing) is State.RETRYABLE


def test_during_an_outage_of_the_document_store_no_attempt_is_burned_and_no_more_is_claimed(
    deployment: Deployment, user: UserId
) -> None:
    document_ids = [submit(deployment, user, policy_text(f"Subject {n}", 2), f"{n}.md").document_id for n in range(20)]
    away = Outage(deployment.objects, {"get": set(range(1, 9))})
    at_once = RetryPolicy(outage_delay=timedelta(0))
    claims = Outage(deployment.claims, {"claim": set()})
    broken = deployment.replacing(objects=away, claims=claims, retry_policy=at_once)
    drain_all(broken)
    statuses = [deployment.documents.status(each) for each in document_ids]
    assert [(status.state, status.attempts) for status in statuses if status] == [(State.DONE, 0)] * 20


def test_a_worker_does_not_take_documents_from_itself_when_its_leases_lapse(
    deployment: Deployment, user: UserId
) -> None:
    submit(deployment, user, policy_text())
    [job] = deployment.claims.claim("frozen", 1, timedelta(0))
    assert deployment.claims.reclaim(3, Actor.of_claim("frozen")) == 0
    assert deployment.claims.reclaim(3, TEST) == 1
    assert state_of(deployment, job.document.document_id) is State.QUEUED


def test_a_lease_that_nobody_could_renew_while_the_server_was_down_is_not_taken_for_a_crash(
    deployment: Deployment, user: UserId
) -> None:
    submit(deployment, user, policy_text())
    deployment.claims.claim("cut off", 1, timedelta(0))
    assert deployment.claims.reclaim(3, TEST, reconnection=timedelta(days=365)) == 0
    assert deployment.claims.reclaim(3, TEST) == 1


def test_a_claim_that_only_seemed_lost_gives_its_document_back(deployment: Deployment, user: UserId) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    [job] = deployment.claims.claim("worker", 1, timedelta(minutes=1))
    deployment.failures.settle(job, ResourceError("claim_lost"), reported=False)
    status = deployment.documents.status(document_id)
    assert status is not None
    assert (status.state, status.attempts, status.claimed_by) == (State.RETRYABLE, 0, None)


def test_changes_whose_outcome_is_unknown_are_not_written_again(deployment: Deployment, user: UserId) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    [job] = deployment.claims.claim("worker", 1, timedelta(minutes=1))
    away = Outage(deployment.changes, {"write_all": {1}}, acts=True)
    progress = DeferredProgress(away, deployment.clock)
    progress.write(Change(job, (Move(Stage.JOB_VALIDATED, 0.0),)))
    progress._due_at = -1.0  # as if time had passed
    with pytest.raises(OutageError):
        progress.catch_up()
    with pytest.raises(OutageError):
        progress.write(Change(job, (Move(Stage.PARSING, 0.0),)))
    progress.give_up()
    assert [event.stage for event in deployment.documents.history(document_id)].count(Stage.JOB_VALIDATED) == 1


def test_paid_vectors_outlast_an_outage(deployment: Deployment, user: UserId) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    [job] = deployment.claims.claim("worker", 1, timedelta(minutes=1))
    take_through(deployment, job, "parsed_markdown", "chunks")
    move(deployment, job, Stage.EMBEDDING)
    vectors = np.ones((1, VECTOR_DIMENSIONS), np.float32)
    batch = EmbeddedBatch(("0" * 64,), vectors, deployment.embedder.model, tokens=9)
    away = Outage(deployment.changes, {"write_all": {1, 2}}, acts=True)
    DeferredProgress(away, deployment.clock).write(Change(job, (), vectors=(batch,), is_paid=True))
    assert deployment.vector_buffer.present(document_id, deployment.embedder.model) == {"0" * 64}
