"""A worker meets failures outside its documents: it loses none of them, keeps none, and never waits for ever."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

import pytest

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Document, DocumentId, ParsedDocument, Producer, UserId
from ingest_assets.domain.errors import TransientError
from ingest_assets.domain.queue.changes import Change
from ingest_assets.domain.queue.jobs import Payload
from ingest_assets.domain.queue.stages import State
from ingest_assets.pipeline.drain import DrainLimits
from ingest_assets.pipeline.ports.claiming import Claims
from ingest_assets.pipeline.ports.processing import Changes
from ingest_assets_tests.documents import drain_all, policy_text, submit

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
class FailingClaims:
    """Fails in one call of one method."""

    claims: Claims
    method: str
    call: int = 1
    calls: int = 0
    failed: Event = field(default_factory=Event)

    def __getattr__(self, name: str) -> Any:
        if name == self.method:
            self.calls += 1
            if self.calls == self.call:
                return self._fail
        return getattr(self.claims, name)

    def _fail(self, *_: object, **__: object) -> None:
        self.failed.set()
        raise TransientError("database_unreachable")


def test_a_worker_that_cannot_begin_documents_ends_after_those_that_wait_for_a_provider(
    deployment: Deployment, parser: LocalParser, user: UserId
) -> None:
    claims = FailingClaims(deployment.claims, "begin", call=2)
    paid = Paid(parser, lambda: claims.failed.wait(SECONDS))
    for number in range(3):
        submit(deployment, user, policy_text(f"Subject {number}", 2), f"{number}.md")
    broken = deployment.replacing(claims=claims, parser=paid)
    ended: list[BaseException] = []

    def work() -> None:
        try:
            broken.drain.run("worker", DrainLimits(in_flight=1, ahead=4), stop=Event(), report=lambda: None)
        except TransientError as error:
            ended.append(error)

    worker = Thread(target=work, daemon=True)
    worker.start()
    worker.join(SECONDS)
    assert len(ended) == 1
    assert deployment.documents.by_stage_and_state() == {"embedded/done": 1, "queued/queued": 2}


def test_a_document_whose_failure_cannot_be_recorded_costs_no_other_its_commit(
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
            raise TransientError("database_unreachable")

    claims = FailingClaims(deployment.claims, "settle")
    broken = deployment.replacing(claims=claims, parser=paid, changes=Interposed(deployment.changes, refuse))
    with pytest.raises(TransientError):
        drain_all(broken)
    assert state_of(deployment, other) is State.DONE
    assert state_of(deployment, failing) is State.QUEUED
