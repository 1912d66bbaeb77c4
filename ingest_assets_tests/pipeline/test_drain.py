"""One worker at its work: what it holds, what overlaps, what it leaves behind when it is stopped."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Barrier, Event, Thread
from typing import Any

import pytest

from ingest_assets.adapters.clock import SystemClock
from ingest_assets.adapters.lexical_embedder import LexicalEmbedder
from ingest_assets.domain.documents.document import Document, EmbeddedBatch, ParsedDocument, Producer, UserId
from ingest_assets.domain.queue.jobs import Job
from ingest_assets.domain.queue.stages import State
from ingest_assets.pipeline.drain import DrainLimits, DrainTotals, drain
from ingest_assets.pipeline.ports.buffers import VectorBuffer
from ingest_assets.pipeline.ports.providers import Parser
from ingest_assets.pipeline.services import Services
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

    def parse(self, content: bytes, document: Document) -> ParsedDocument:
        self.watch()
        return self.parser.parse(content, document)


def submit_some(services: Services, user: UserId, count: int) -> None:
    for number in range(count):
        submit(services, user, policy_text(f"Subject {number}", 2), f"{number}.md")


def working(services: Services) -> int:
    counts = services.documents.by_stage_and_state()
    return sum(jobs for name, jobs in counts.items() if name.endswith(State.WORKING))


def test_several_documents_are_under_way_at_once(services: Services, user: UserId) -> None:
    together = Barrier(3)
    watched = replace(services, parser=WatchedParser(services.parser, lambda: together.wait(SECONDS)))
    submit_some(services, user, 6)
    limits = DrainLimits(in_flight=3, idle=timedelta(0))
    assert drain(watched, "worker", limits, stop=Event(), report=lambda: None).done == 6


def test_a_worker_holds_few_jobs_beyond_those_it_works_on(services: Services, user: UserId) -> None:
    held: list[int] = []
    watched = replace(services, parser=WatchedParser(services.parser, lambda: held.append(working(services))))
    submit_some(services, user, 12)
    limits = DrainLimits(in_flight=2, ahead=3, idle=timedelta(0))
    assert drain(watched, "worker", limits, stop=Event(), report=lambda: None).done == 12
    assert max(held) <= 5


def test_a_stopped_worker_finishes_what_it_has_begun_and_gives_back_the_rest(services: Services, user: UserId) -> None:
    begun, stop, reports = Barrier(3), Event(), []
    watched = replace(
        services, parser=WatchedParser(services.parser, lambda: (begun.wait(SECONDS), stop.wait(SECONDS)))
    )
    submit_some(services, user, 6)
    totals: list[DrainTotals] = []

    def work() -> None:
        limits = DrainLimits(in_flight=2, ahead=4)
        totals.append(drain(watched, "worker", limits, stop=stop, report=lambda: reports.append(working(services))))

    worker = Thread(target=work)
    worker.start()
    begun.wait(SECONDS)
    stop.set()
    worker.join(SECONDS)
    assert totals == [DrainTotals(done=2, failed=0, released=4)]
    assert reports == [4]
    assert services.documents.by_stage_and_state() == {"embedded/done": 2, "queued/queued": 4}


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
    services: Services, user: UserId
) -> None:
    begun, reports = Event(), []
    watched = replace(services, parser=WatchedParser(services.parser, begun.set), clock=InterruptedClock(begun))
    submit_some(services, user, 6)
    with pytest.raises(KeyboardInterrupt):
        drain(watched, "worker", DrainLimits(in_flight=2), stop=Event(), report=lambda: reports.append(True))
    states = services.documents.by_stage_and_state()
    assert states["embedded/done"] >= 1
    assert sum(states.values()) == 6
    assert working(services) == 0
    assert reports


@dataclass
class CountingBuffer:
    """Counts the vectors that are buffered."""

    buffer: VectorBuffer
    appended: list[str] = field(default_factory=list)

    def append(self, job: Job, batch: EmbeddedBatch) -> None:
        self.appended.extend(batch.chunk_shas)
        self.buffer.append(job, batch)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.buffer, name)


class PaidEmbedder(LexicalEmbedder):
    """What it makes is worth keeping."""

    costs_nothing = False


@pytest.mark.parametrize("embedder", [LexicalEmbedder(), PaidEmbedder()])
def test_only_vectors_that_cost_something_are_buffered_before_the_commit(
    services: Services, user: UserId, embedder: LexicalEmbedder
) -> None:
    buffer = CountingBuffer(services.vector_buffer)
    document_id = ingest(replace(services, vector_buffer=buffer, embedder=embedder), user, policy_text())
    shas = {chunk.chunk_sha for chunk in services.chunk_buffer.load(document_id)}
    assert set(buffer.appended) == (set() if embedder.costs_nothing else shas)
    assert services.vector_buffer.present(document_id, embedder.model) == shas


def test_an_edit_is_committed_from_known_and_fresh_vectors_together(services: Services, user: UserId) -> None:
    document_id = ingest(services, user, policy_text())
    submit(services, user, policy_text() + "\n\n## Annex\n\nA clause that was not there before.\n")
    drain_all(services)
    payloads = [event.payload for event in services.documents.history(document_id)]
    [_, edited] = [payload for payload in payloads if "texts_embedded" in payload]
    assert edited["texts_embedded"] == 1
    assert int(edited["texts_reused"]) > 0
    chunks = services.chunk_buffer.load(document_id)
    assert services.vector_buffer.present(document_id, services.embedder.model) == {c.chunk_sha for c in chunks}
