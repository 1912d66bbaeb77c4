"""One worker at its work: what it holds, what overlaps, what it leaves behind when it is stopped."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Barrier, Event, Thread

import pytest

from ingest_assets.adapters.clock import SystemClock
from ingest_assets.adapters.lexical_embedder import LexicalEmbedder
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Document, ParsedDocument, Producer, UserId
from ingest_assets.domain.queue.changes import Change
from ingest_assets.domain.queue.jobs import Payload
from ingest_assets.domain.queue.stages import State
from ingest_assets.pipeline.drain import DrainLimits, DrainTotals
from ingest_assets.pipeline.ports.processing import Changes
from ingest_assets.pipeline.ports.providers import Parser
from ingest_assets_tests.documents import drain_all, ingest, policy_text, submit

SECONDS = 60
"""For what would otherwise wait for ever."""


@dataclass
class WatchedParser:
    """Calls `watch` while a document is being parsed."""

    parser: Parser
    watch: Callable[[], object]

    def producer_of(self, media_type: str) -> Producer:
        return self.parser.producer_of(media_type)

    def costs_nothing(self, media_type: str) -> bool:
        return self.parser.costs_nothing(media_type)

    def parse(self, content: bytes, document: Document) -> ParsedDocument:
        self.watch()
        return self.parser.parse(content, document)


def submit_some(deployment: Deployment, user: UserId, count: int) -> None:
    for number in range(count):
        submit(deployment, user, policy_text(f"Subject {number}", 2), f"{number}.md")


def working(deployment: Deployment) -> int:
    counts = deployment.documents.by_stage_and_state()
    return sum(jobs for name, jobs in counts.items() if name.endswith(State.WORKING))


def test_several_documents_are_under_way_at_once(deployment: Deployment, user: UserId) -> None:
    together = Barrier(3)
    watched = deployment.replacing(parser=WatchedParser(deployment.parser, lambda: together.wait(SECONDS)))
    submit_some(deployment, user, 6)
    limits = DrainLimits(in_flight=3, idle=timedelta(0))
    assert watched.drain.run("worker", limits, stop=Event(), report=lambda: None).done == 6


def test_a_worker_holds_few_jobs_beyond_those_it_works_on(deployment: Deployment, user: UserId) -> None:
    held: list[int] = []
    watched = deployment.replacing(parser=WatchedParser(deployment.parser, lambda: held.append(working(deployment))))
    submit_some(deployment, user, 12)
    limits = DrainLimits(in_flight=2, ahead=3, idle=timedelta(0))
    assert watched.drain.run("worker", limits, stop=Event(), report=lambda: None).done == 12
    assert max(held) <= 5


def test_a_stopped_worker_finishes_what_it_has_begun_and_gives_back_the_rest(
    deployment: Deployment, user: UserId
) -> None:
    begun, stop, reports = Barrier(3), Event(), []
    watched = deployment.replacing(
        parser=WatchedParser(deployment.parser, lambda: (begun.wait(SECONDS), stop.wait(SECONDS)))
    )
    submit_some(deployment, user, 6)
    totals: list[DrainTotals] = []

    def work() -> None:
        limits = DrainLimits(in_flight=2, ahead=4)
        totals.append(
            watched.drain.run("worker", limits, stop=stop, report=lambda: reports.append(working(deployment)))
        )

    worker = Thread(target=work)
    worker.start()
    begun.wait(SECONDS)
    stop.set()
    worker.join(SECONDS)
    assert totals == [DrainTotals(done=2, failed=0, released=4)]
    assert reports == [4]
    assert deployment.documents.by_stage_and_state() == {"embedded/done": 2, "queued/queued": 4}


@dataclass
class InterruptedClock(SystemClock):
    """Interrupts the worker's main thread once, as a terminated run is."""

    begun: Event
    interrupted: bool = False

    def seconds(self) -> float:
        if self.begun.is_set() and not self.interrupted:
            self.interrupted = True
            raise KeyboardInterrupt
        return super().seconds()


def test_an_interrupted_worker_leaves_nothing_half_done_and_reports_what_is_done(
    deployment: Deployment, user: UserId
) -> None:
    begun, reports = Event(), []
    watched = deployment.replacing(parser=WatchedParser(deployment.parser, begun.set), clock=InterruptedClock(begun))
    submit_some(deployment, user, 6)
    with pytest.raises(KeyboardInterrupt):
        watched.drain.run("worker", DrainLimits(in_flight=2), stop=Event(), report=lambda: reports.append(True))
    states = deployment.documents.by_stage_and_state()
    assert states["embedded/done"] >= 1
    assert sum(states.values()) == 6
    assert working(deployment) == 0
    assert reports


@dataclass
class CountingChanges:
    """Counts the vectors that are written before the commit."""

    changes: Changes
    buffered: list[str] = field(default_factory=list)

    def write_all(self, changes: Sequence[Change], *, reported: bool) -> list[Payload]:
        for change in changes:
            if change.version is None:
                self.buffered += [sha for batch in change.vectors for sha in batch.chunk_shas]
        return self.changes.write_all(changes, reported=reported)


class PaidEmbedder(LexicalEmbedder):
    """What it makes is worth keeping."""

    costs_nothing = False


@pytest.mark.parametrize("embedder", [LexicalEmbedder(), PaidEmbedder()])
def test_only_vectors_that_cost_something_are_buffered_before_the_commit(
    deployment: Deployment, user: UserId, embedder: LexicalEmbedder
) -> None:
    changes = CountingChanges(deployment.changes)
    document_id = ingest(deployment.replacing(changes=changes, embedder=embedder), user, policy_text())
    shas = {chunk.chunk_sha for chunk in deployment.chunk_buffer.load(document_id)}
    assert set(changes.buffered) == (set() if embedder.costs_nothing else shas)
    assert deployment.vector_buffer.present(document_id, embedder.model) == shas


def test_an_edit_is_committed_from_known_and_fresh_vectors_together(deployment: Deployment, user: UserId) -> None:
    document_id = ingest(deployment, user, policy_text())
    submit(deployment, user, policy_text() + "\n\n## Annex\n\nA clause that was not there before.\n")
    drain_all(deployment)
    payloads = [event.payload for event in deployment.documents.history(document_id)]
    [_, edited] = [payload for payload in payloads if "texts_embedded" in payload]
    assert edited["texts_embedded"] == 1
    assert int(edited["texts_reused"]) > 0
    chunks = deployment.chunk_buffer.load(document_id)
    assert deployment.vector_buffer.present(document_id, deployment.embedder.model) == {c.chunk_sha for c in chunks}
