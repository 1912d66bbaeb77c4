"""One document's failure touches only that document, and nothing is lost."""

import errno
import os
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from ingest_assets.adapters.object_stores.local_files import LocalFiles
from ingest_assets.domain.documents.document import Document, ParsedDocument, Producer, UserId
from ingest_assets.domain.errors import IngestError, PermanentError, ResourceError, TransientError
from ingest_assets.domain.queue.retry_policy import RetryPolicy
from ingest_assets.domain.queue.stages import STATE_MOVES, Stage, State, is_legal
from ingest_assets.pipeline.deletion import delete_document
from ingest_assets.pipeline.explain import explain
from ingest_assets.pipeline.parse import parse_document, store_parse
from ingest_assets.pipeline.ports.providers import Parser
from ingest_assets.pipeline.services import Services
from ingest_assets.settings import Settings
from ingest_assets_tests.documents import TEST, drain_all, ingest, policy_text, submit

AT_ONCE = RetryPolicy(first_delay=timedelta(0), resource_delay=timedelta(0))
LEASE = timedelta(seconds=30)


@dataclass
class FailingParser:
    """The real parser behind a number of failures."""

    behind: Parser
    error: Exception
    failures: int
    calls: int = 0

    def producer_of(self, media_type: str) -> Producer:
        return self.behind.producer_of(media_type)

    def parse(self, content: bytes, document: Document) -> ParsedDocument:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error
        return self.behind.parse(content, document)


def failing(services: Services, error: Exception, failures: int) -> Services:
    return replace(services, parser=FailingParser(services.parser, error, failures), retry_policy=AT_ONCE)


def test_of_twenty_documents_the_one_that_cannot_be_parsed_is_a_dead_letter(services: Services, user: UserId) -> None:
    for number in range(19):
        submit(services, user, policy_text(f"Subject {number}", 4), f"{number}.md")
    bad = submit(services, user, b"%PDF-1.4 truncated", "bad.pdf")
    totals = drain_all(services)
    assert (totals.done, totals.failed) == (19, 1)
    assert services.documents.counts() == {"documents": 20, "searchable": 19, "dead_letters": 1}
    explanation = explain(bad.document_id, documents=services.documents)
    assert explanation.status is not None
    assert explanation.status.state is State.DEADLETTER
    assert explanation.status.error_code == "corrupt"
    assert explanation.fix is not None
    assert explanation.fix.startswith("ingest submit")


def test_a_passing_fault_is_retried_until_it_has_passed(services: Services, user: UserId) -> None:
    flaky = failing(services, TransientError("storage_failed"), 2)
    document_id = ingest(flaky, user, policy_text())
    status = services.documents.status(document_id)
    assert status is not None
    assert (status.state, status.attempts, status.error_code) == (State.DONE, 2, None)


def test_a_document_that_exhausts_its_worker_is_tried_once_more_and_then_a_dead_letter(
    services: Services, user: UserId
) -> None:
    flaky = failing(services, TransientError("out_of_memory", megabytes=1), failures=9)
    document_id = ingest(flaky, user, policy_text())
    status = services.documents.status(document_id)
    assert status is not None
    assert (status.state, status.error_code, status.attempts) == (State.DEADLETTER, "out_of_memory", 2)


def test_a_lasting_fault_becomes_a_dead_letter_after_three_retries(services: Services, user: UserId) -> None:
    broken = failing(services, TransientError("storage_failed"), 100)
    document_id = ingest(broken, user, policy_text())
    status = services.documents.status(document_id)
    assert status is not None
    assert (status.stage, status.state, status.attempts) == (Stage.PARSING, State.DEADLETTER, 4)


def test_waiting_for_a_resource_burns_no_attempt(services: Services, user: UserId) -> None:
    waiting = failing(services, ResourceError("storage_full"), 9)
    document_id = ingest(waiting, user, policy_text())
    status = services.documents.status(document_id)
    assert status is not None
    assert (status.state, status.attempts) == (State.DONE, 0)


def test_of_an_unexpected_exception_neither_text_nor_names_are_kept(services: Services, user: UserId) -> None:
    broken = failing(services, KeyError("John Doe's diagnosis"), 100)
    document_id = ingest(broken, user, policy_text())
    explanation = explain(document_id, documents=services.documents)
    assert explanation.status is not None
    assert explanation.status.error_code == "unexpected"
    assert "KeyError" in (explanation.status.error_message or "")
    assert "diagnosis" not in str(explanation)


def test_a_replayed_dead_letter_goes_on_without_its_earlier_failures(services: Services, user: UserId) -> None:
    document_id = ingest(failing(services, PermanentError("corrupt"), 1), user, policy_text())
    assert services.jobs.replay([document_id], TEST) == [document_id]
    drain_all(services)
    status = services.documents.status(document_id)
    assert status is not None
    assert (status.state, status.attempts) == (State.DONE, 0)


def test_every_history_is_a_walk_of_legal_moves(services: Services, user: UserId) -> None:
    flaky = failing(services, TransientError("storage_failed"), 1)
    retried = ingest(flaky, user, policy_text("Retried"), "retried.md")
    dead = ingest(failing(services, PermanentError("corrupt"), 1), user, policy_text("Dead"), "dead.md")
    services.jobs.replay([retried, dead], TEST)
    submit(services, user, policy_text("Retried") + "\nA new version.\n", "retried.md")
    services.jobs.claim("leaving", 9, LEASE)
    services.jobs.release("leaving")
    services.jobs.claim("dying", 9, timedelta(0))
    services.jobs.reclaim(3, TEST)
    drain_all(services)
    services.jobs.take(retried, "somebody", LEASE, Stage.CHUNKING)
    services.jobs.release("somebody")
    drain_all(services)
    for document_id in (retried, dead):
        history = services.documents.history(document_id)
        assert history[-1].state is State.DONE
        assert all(is_legal(event.stage, event.state) for event in history)
        for before, after in pairwise(history):
            assert after.state in STATE_MOVES[before.state], (before, after)


def test_a_replay_does_not_parse_again_what_was_parsed(services: Services, user: UserId) -> None:
    parser = FailingParser(services.parser, ValueError(), 0)
    counted = replace(services, parser=parser)
    document_id = submit(counted, user, policy_text()).document_id
    [job] = counted.jobs.claim("dying", 1, LEASE)
    parsed = parse_document(job, jobs=counted.jobs, documents=counted.documents, objects=counted.objects, parser=parser)
    store_parse(job, parsed, documents=counted.documents, objects=counted.objects)
    counted.jobs.release("dying", document_id)
    drain_all(counted)
    assert parser.calls == 1


def test_a_silent_worker_gives_its_documents_back_and_the_third_death_is_poison(
    services: Services, user: UserId
) -> None:
    document_id = submit(services, user, policy_text()).document_id
    for death in (1, 2, 3):
        [job] = services.jobs.claim(f"worker {death}", 1, timedelta(0))
        services.jobs.advance(job, Stage.JOB_VALIDATED, Stage.PARSING)
        assert services.jobs.reclaim(3, TEST) == 1
        status = services.documents.status(document_id)
        assert status is not None
        assert status.state is (State.DEADLETTER if death == 3 else State.QUEUED)
    assert status is not None
    assert status.error_code == "crashed_worker"


def test_a_worker_that_died_before_it_began_does_not_count_against_the_document(
    services: Services, user: UserId
) -> None:
    document_id = submit(services, user, policy_text()).document_id
    for _ in range(5):
        services.jobs.claim("dying", 1, timedelta(0))
        services.jobs.reclaim(3, TEST)
    status = services.documents.status(document_id)
    assert status is not None
    assert (status.state, status.crashes) == (State.QUEUED, 0)


def test_whoever_lost_the_claim_can_change_nothing_any_more(services: Services, user: UserId) -> None:
    submit(services, user, policy_text())
    [job] = services.jobs.claim("slow", 1, timedelta(0))
    services.jobs.reclaim(3, TEST)
    services.jobs.claim("quick", 1, LEASE)
    with pytest.raises(ResourceError, match="claim_lost"):
        services.jobs.advance(job, Stage.JOB_VALIDATED)


def test_a_worker_that_outlives_its_document_leaves_nothing_of_it_behind(
    services: Services, user: UserId, settings: Settings
) -> None:
    document_id = submit(services, user, policy_text()).document_id
    [job] = services.jobs.claim("slow", 1, LEASE)
    parsed = parse_document(
        job, jobs=services.jobs, documents=services.documents, objects=services.objects, parser=services.parser
    )
    delete_document(document_id, TEST, deletions=services.deletions, objects=services.objects)
    with pytest.raises(ResourceError, match="claim_lost"):
        store_parse(job, parsed, documents=services.documents, objects=services.objects)
    assert not [path for path in settings.objects_folder.rglob("*") if path.is_file()]


def test_stored_bytes_that_were_damaged_are_noticed(services: Services, user: UserId) -> None:
    accepted = submit(services, user, policy_text())
    document = services.documents.find(accepted.document_id)
    assert document is not None
    services.objects.put(f"{user}/{document.document_id}/{document.content_sha}", b"other bytes")
    drain_all(services)
    status = services.documents.status(accepted.document_id)
    assert status is not None
    assert status.error_code == "content_missing"


def test_a_full_disk_while_storing_loses_nothing_and_says_so(
    services: Services, user: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(IngestError) as raised:
        submit(services, user, policy_text())
    assert raised.value.code == "storage_full"
    assert services.documents.counts()["documents"] == 0
    monkeypatch.undo()
    ingest(services, user, policy_text())
    assert services.documents.counts()["searchable"] == 1


def test_a_full_disk_leaves_no_half_written_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LocalFiles(tmp_path)

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResourceError, match="storage_full"):
        store.put("a/b", b"x" * 100)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
