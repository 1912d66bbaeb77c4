"""Workers of one lane take documents as far as the next one; together they do what a worker of all lanes does."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Barrier, Event, Lock
from typing import Any

import pytest

from ingest_assets.cli.explanation import explain_document
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Document, DocumentId, ParsedDocument, Producer, UserId
from ingest_assets.domain.errors import OutageError, PermanentError, ResourceError, TransientError
from ingest_assets.domain.queue.changes import Change
from ingest_assets.domain.queue.jobs import Payload
from ingest_assets.domain.queue.lanes import Lane
from ingest_assets.domain.queue.stages import Stage, State
from ingest_assets.pipeline.drain import DrainLimits, DrainTotals
from ingest_assets.pipeline.ports.processing import Changes
from ingest_assets.pipeline.stored_objects import folder_key
from ingest_assets_tests.documents import LEASE, TEST, ingest, policy_text, status_of, submit
from ingest_assets_tests.pipeline.test_refresh import Embedder

SECONDS = 60
"""For what would otherwise wait for ever."""
MADE = Producer("test", "1")


@dataclass
class Reader:
    """Reads files, and recognises scans where it may."""

    together: Barrier = field(default_factory=lambda: Barrier(1))
    """How many scans must be with it at once."""
    is_paid: bool = False
    recognised: list[str] = field(default_factory=list)
    most: int = 0
    _present: int = 0
    _lock: Lock = field(default_factory=Lock)

    def producer_of(self, media_type: str) -> Producer:  # noqa: ARG002  the same for every type
        return MADE

    def costs_nothing(self, media_type: str) -> bool:  # noqa: ARG002  the same for every type
        return not self.is_paid

    def parse(self, content: bytes, document: Document) -> ParsedDocument:
        if document.filename.startswith("scan"):
            if document.is_tried_shortly or not document.may_be_recognised:
                raise ResourceError("recognition_slow")
            self._recognise(document)
        return ParsedDocument(content.decode(), (), MADE)

    def _recognise(self, document: Document) -> None:
        with self._lock:
            self._present += 1
            self.most = max(self.most, self._present)
        self.together.wait(SECONDS)
        self.recognised.append(document.filename)
        with self._lock:
            self._present -= 1


def drained(deployment: Deployment, lane: Lane | None, **limited: Any) -> DrainTotals:
    limits = DrainLimits(idle=timedelta(0), lane=lane, **limited)
    return deployment.drain.run(f"worker-{lane}", limits, stop=Event(), report=lambda: None)


def submit_files(deployment: Deployment, user: UserId, *names: str) -> list[DocumentId]:
    return [submit(deployment, user, policy_text(f"Subject of {name}"), name).document_id for name in names]


def stages(deployment: Deployment, ids: list[DocumentId]) -> list[Stage]:
    return [status_of(deployment, document_id).stage for document_id in ids]


def test_a_document_is_parsed_in_one_lane_and_becomes_searchable_in_the_next(
    deployment: Deployment, user: UserId
) -> None:
    ids = submit_files(deployment, user, "a.md", "b.md", "c.md")
    assert drained(deployment, Lane.EMBED) == DrainTotals()
    assert drained(deployment, Lane.PARSE) == DrainTotals(left=3)
    assert stages(deployment, ids) == [Stage.CHUNKS_BUFFERED] * 3
    assert drained(deployment, Lane.PARSE) == drained(deployment, Lane.OCR) == DrainTotals()
    assert drained(deployment, Lane.EMBED) == DrainTotals(done=3)
    assert all(status_of(deployment, document_id).searchable for document_id in ids)


def test_scans_are_recognised_in_a_lane_of_their_own_whatever_their_size(deployment: Deployment, user: UserId) -> None:
    reader = Reader()
    reading = deployment.replacing(parser=reader)
    [light] = submit_files(deployment, user, "scan.md")
    heavy = submit(deployment, user, "The roof is covered. " * 60_000, "scan-of-a-book.md").document_id
    assert drained(reading, Lane.PARSE) == DrainTotals(failed=2)
    assert drained(reading, Lane.PARSE) == DrainTotals()
    assert [status_of(deployment, document_id).attempts for document_id in (light, heavy)] == [0, 0]
    assert drained(reading, Lane.OCR) == DrainTotals(left=2)
    assert drained(reading, Lane.EMBED) == DrainTotals(done=2)
    assert sorted(reader.recognised) == ["scan-of-a-book.md", "scan.md"]


@pytest.mark.parametrize("stands_in", [False, True])
def test_a_worker_for_scans_recognises_as_many_at_once_as_it_has_places_for_and_claims_few_more(
    deployment: Deployment, user: UserId, *, stands_in: bool
) -> None:
    """So it is where the local parser stands in for a paid one, too."""
    submit_files(deployment, user, *(f"scan-{number}.md" for number in range(9)))
    left: list[int] = []
    reader = Reader(Barrier(3, lambda: left.append(deployment.backlog.waiting(9, Lane.OCR))), is_paid=stands_in)
    reading = deployment.replacing(parser=reader)
    drained(reading, Lane.PARSE, ahead=9)
    drain = replace(reading.drain, places={Lane.OCR: 3})
    limits = DrainLimits(in_flight=1, ahead=9, idle=timedelta(0), lane=Lane.OCR)
    assert drain.run("worker", limits, stop=Event(), report=lambda: None) == DrainTotals(left=9)
    assert reader.most == 3
    assert left[0] >= 3


def test_a_scan_in_its_lane_leaves_the_slots_of_an_undivided_worker_to_others(
    deployment: Deployment, user: UserId
) -> None:
    """The second scan waits for the place of the first, but holds no slot meanwhile."""
    ids = submit_files(deployment, user, "scan-1.md", "scan-2.md", "scan-3.md")
    reader = Reader()
    reading = deployment.replacing(parser=reader)
    drained(reading, Lane.PARSE)
    drain = replace(reading.drain, places={Lane.OCR: 1})
    limits = DrainLimits(in_flight=3, idle=timedelta(0))
    assert drain.run("worker", limits, stop=Event(), report=lambda: None) == DrainTotals(done=3)
    assert reader.most == 1
    assert stages(deployment, ids) == [Stage.EMBEDDED] * 3


def test_explain_says_which_workers_a_document_waits_for(deployment: Deployment, user: UserId) -> None:
    [scan] = submit_files(deployment, user, "scan.md")
    reading = deployment.replacing(parser=Reader())

    def cause() -> str | None:
        return explain_document(scan, documents=deployment.documents, has_lanes=True).cause

    for lane in Lane:
        told = cause() or ""
        assert f"waits for a worker of the lane {lane};" in told
        assert "as soon as a worker is free" not in told
        drained(reading, lane)
    assert cause() is None


def told_of(deployment: Deployment, document_id: DocumentId) -> list[tuple[Stage, Payload]]:
    """Return what the history says that was made of a document, but for how long it took."""
    told = [(event.stage, event.payload) for event in deployment.documents.history(document_id) if event.payload]
    return [(stage, {name: each for name, each in payload.items() if name != "seconds"}) for stage, payload in told]


def test_lanes_leave_the_chunks_and_the_history_that_one_worker_leaves(
    deployment: Deployment, user: UserId, other_user: UserId
) -> None:
    [divided] = submit_files(deployment, user, "policy.md")
    for lane in (Lane.PARSE, Lane.EMBED):
        drained(deployment, lane)
    [undivided] = submit_files(deployment, other_user, "policy.md")
    drained(deployment, None)
    assert told_of(deployment, divided) == told_of(deployment, undivided)
    texts = [[chunk.text for chunk in deployment.chunk_buffer.load(each)] for each in (divided, undivided)]
    assert texts[0] == texts[1]


def test_what_is_chunked_is_neither_read_nor_parsed_again_to_be_embedded(deployment: Deployment, user: UserId) -> None:
    [document_id] = submit_files(deployment, user, "policy.md")
    drained(deployment, Lane.PARSE)
    document = deployment.documents.find(document_id)
    assert document is not None
    deployment.objects.delete_below(folder_key(user, document_id))
    assert drained(deployment, Lane.EMBED) == DrainTotals(done=1)


def test_a_replaced_document_begins_again_in_the_first_lane(deployment: Deployment, user: UserId) -> None:
    [document_id] = submit_files(deployment, user, "policy.md")
    drained(deployment, Lane.PARSE)
    submit(deployment, user, policy_text("Something else"), "policy.md")
    assert drained(deployment, Lane.EMBED) == DrainTotals()
    assert drained(deployment, Lane.PARSE) == DrainTotals(left=1)
    assert drained(deployment, Lane.EMBED) == DrainTotals(done=1)
    assert status_of(deployment, document_id).live_version == 2


def test_what_a_dead_worker_of_a_lane_had_stays_in_the_lane(deployment: Deployment, user: UserId) -> None:
    submit_files(deployment, user, "policy.md")
    drained(deployment, Lane.PARSE)
    [job] = deployment.claims.claim("dying", 1, timedelta(0), lane=Lane.EMBED)
    assert job.lane is Lane.EMBED
    assert deployment.claims.claim("parsing", 1, LEASE, lane=Lane.PARSE) == []
    assert drained(deployment, Lane.EMBED) == DrainTotals(done=1)


@dataclass
class Refusing:
    """Refuses to write the chunks of a document so often."""

    changes: Changes
    error: Exception
    times: int
    refused: int = 0

    def write_all(self, changes: Sequence[Change], *, reported: bool) -> list[Payload]:
        if self.refused < self.times and any(change.chunked for change in changes):
            self.refused += 1
            raise self.error
        return self.changes.write_all(changes, reported=reported)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (TransientError("unexpected", error="DataError", place="a test"), State.RETRYABLE),
        (OutageError("database_unreachable"), State.RETRYABLE),
        (PermanentError("upstream_missing"), State.DEADLETTER),
    ],
)
def test_a_document_whose_chunks_cannot_be_stored_has_failed_and_is_not_tried_at_once(
    deployment: Deployment, user: UserId, error: Exception, state: State
) -> None:
    [document_id] = submit_files(deployment, user, "policy.md")
    refusing = Refusing(deployment.changes, error, times=1)
    assert drained(deployment.replacing(changes=refusing), Lane.PARSE) == DrainTotals(failed=1)
    assert (status_of(deployment, document_id).state, refusing.refused) == (state, 1)


def test_a_document_that_another_worker_has_by_now_is_not_given_back(deployment: Deployment, user: UserId) -> None:
    submit_files(deployment, user, "policy.md")
    [before] = deployment.claims.claim("worker", 1, timedelta(0))
    assert deployment.claims.reclaim(3, TEST) == 1
    [now] = deployment.claims.claim("worker", 1, LEASE)
    deployment.claims.leave(before)
    assert status_of(deployment, now.document.document_id).state is State.WORKING
    deployment.claims.leave(now)
    assert status_of(deployment, now.document.document_id).state is State.QUEUED


def test_chunks_of_another_chunker_are_cut_anew_before_they_are_embedded(deployment: Deployment, user: UserId) -> None:
    """As after a dead letter that says to lower INGEST_CHUNK_CHARACTERS, or an upgrade."""
    [document_id] = submit_files(deployment, user, "policy.md")
    drained(deployment, Lane.PARSE)
    before = len(deployment.chunk_buffer.load(document_id))
    smaller = Deployment(deployment.settings.model_copy(update={"chunk_characters": 300, "chunk_overlap": 50}))
    with closing(smaller):
        assert drained(smaller, Lane.EMBED) == DrainTotals(done=1)
    assert len(deployment.chunk_buffer.load(document_id)) > before


def test_a_finished_document_that_is_to_be_embedded_anew_gets_vectors_of_the_new_model(
    deployment: Deployment, user: UserId
) -> None:
    document_id = ingest(deployment, user, policy_text())
    later = deployment.replacing(embedder=Embedder(Producer("lexical", "2")))
    later.claims.take(document_id, "somebody", LEASE, Stage.EMBEDDING)
    later.claims.release("somebody")
    assert later.backlog.waiting(1, Lane.EMBED) == 1
    assert drained(later, Lane.EMBED) == DrainTotals(done=1)
    chunks = {chunk.chunk_sha for chunk in later.chunk_buffer.load(document_id)}
    assert later.vector_buffer.present(document_id, Producer("lexical", "2")) == chunks
