"""One document's failure touches only that document, and nothing is lost."""

import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from ingest_assets.cli.explanation import explain_document
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Document, DocumentId, ParsedDocument, Producer, UserId
from ingest_assets.domain.errors import IngestError, PermanentError, ResourceError, TransientError
from ingest_assets.domain.queue.retry_policy import GiveUp, RetryAt, RetryPolicy
from ingest_assets.domain.queue.stages import STATE_MOVES, Stage, State, is_legal
from ingest_assets.pipeline.ports.providers import Parser
from ingest_assets.settings import Settings
from ingest_assets_tests.documents import TEST, drain_all, ingest, move, policy_text, status_of, submit, take_through

AT_ONCE = RetryPolicy(first_delay=timedelta(0), resource_delay=timedelta(0))
LEASE = timedelta(seconds=30)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass
class FailingParser:
    """The real parser behind a number of failures."""

    behind: Parser
    error: Exception | Sequence[Exception]
    """The error of every failure, or of each in turn."""
    failures: int
    calls: int = 0

    def producer_of(self, media_type: str) -> Producer:
        return self.behind.producer_of(media_type)

    def costs_nothing(self, media_type: str) -> bool:
        return self.behind.costs_nothing(media_type)

    def parse(self, content: bytes, document: Document) -> ParsedDocument:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error if isinstance(self.error, Exception) else self.error[self.calls - 1]
        return self.behind.parse(content, document)


def failing(deployment: Deployment, error: Exception | Sequence[Exception], failures: int) -> Deployment:
    return deployment.replacing(parser=FailingParser(deployment.parser, error, failures), retry_policy=AT_ONCE)


def test_of_twenty_documents_the_one_that_cannot_be_parsed_is_a_dead_letter(
    deployment: Deployment, user: UserId
) -> None:
    for number in range(19):
        submit(deployment, user, policy_text(f"Subject {number}", 4), f"{number}.md")
    bad = submit(deployment, user, b"%PDF-1.4 truncated", "bad.pdf")
    totals = drain_all(deployment)
    assert (totals.done, totals.failed) == (19, 1)
    assert deployment.documents.counts() == {"documents": 20, "searchable": 19, "dead_letters": 1}
    explanation = explain_document(bad.document_id, documents=deployment.documents)
    assert explanation.status is not None
    assert explanation.status.state is State.DEADLETTER
    assert explanation.status.error_code == "corrupt"
    assert explanation.fix is not None
    assert explanation.fix.startswith("ingest submit")


def test_a_passing_fault_is_retried_until_it_has_passed(deployment: Deployment, user: UserId) -> None:
    flaky = failing(deployment, TransientError("unexpected", error="OSError", place="a test"), 2)
    document_id = ingest(flaky, user, policy_text())
    status = deployment.documents.status(document_id)
    assert status is not None
    assert (status.state, status.attempts, status.error_code) == (State.DONE, 2, None)


def test_a_document_that_exhausts_its_worker_is_tried_once_more_and_then_a_dead_letter(
    deployment: Deployment, user: UserId
) -> None:
    flaky = failing(deployment, TransientError("out_of_memory", megabytes=1), failures=9)
    document_id = ingest(flaky, user, policy_text())
    status = deployment.documents.status(document_id)
    assert status is not None
    assert (status.state, status.error_code, status.attempts) == (State.DEADLETTER, "out_of_memory", 2)


OUT_OF_MEMORY = ("out_of_memory", {"megabytes": 1})
KILLED = ("parser_killed", {"signal": 9})


def errors(*told: tuple[str, dict[str, int]]) -> list[Exception]:
    return [TransientError(code, **facts) for code, facts in told]


def test_each_cause_has_its_own_retries(deployment: Deployment, user: UserId) -> None:
    one_of_each = errors(
        ("vectors_invalid", {"found": 1, "expected": 2}), OUT_OF_MEMORY, KILLED, ("timeout", {"seconds": 1})
    )
    document_id = ingest(failing(deployment, one_of_each, 4), user, policy_text())
    status = status_of(deployment, document_id)
    assert (status.state, status.attempts, status.error_code) == (State.DONE, 4, None)


def test_the_reason_of_a_dead_letter_is_the_cause_that_used_up_its_retries(
    deployment: Deployment, user: UserId
) -> None:
    document_id = ingest(failing(deployment, errors(OUT_OF_MEMORY, KILLED, OUT_OF_MEMORY), 3), user, policy_text())
    status = status_of(deployment, document_id)
    assert (status.state, status.attempts, status.error_code) == (State.DEADLETTER, 3, "out_of_memory")


def test_no_alternation_of_causes_goes_on_for_ever(deployment: Deployment, user: UserId) -> None:
    document_id = ingest(failing(deployment, errors(OUT_OF_MEMORY, KILLED) * 50, 100), user, policy_text())
    status = status_of(deployment, document_id)
    assert (status.state, status.attempts, status.error_code) == (State.DEADLETTER, 3, "out_of_memory")


def new_version(deployment: Deployment, document_id: DocumentId, user: UserId) -> None:
    assert submit(deployment, user, policy_text("Changed")).document_id == document_id


def replayed(deployment: Deployment, document_id: DocumentId, _: UserId) -> None:
    assert deployment.operations.replay([document_id], TEST) == [document_id]


def taken_again(deployment: Deployment, document_id: DocumentId, _: UserId) -> None:
    [job] = deployment.claims.claim("worker", 1, LEASE)
    deployment.claims.settle(job, GiveUp(), PermanentError("corrupt"), reported=False)
    deployment.claims.take(document_id, "a person", LEASE, Stage.JOB_VALIDATED)
    deployment.claims.release("a person")


def refreshed(deployment: Deployment, document_id: DocumentId, _: UserId) -> None:
    drain_all(deployment)
    assert deployment.operations.refresh([document_id], TEST) == [document_id]


@pytest.mark.parametrize("again", [new_version, replayed, taken_again, refreshed])
def test_whatever_begins_a_document_anew_forgets_how_often_each_cause_made_it_fail(
    deployment: Deployment, user: UserId, again: Callable[[Deployment, DocumentId, UserId], None]
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    [job] = deployment.claims.claim("worker", 1, LEASE)
    deployment.claims.settle(job, RetryAt(LONG_AGO), TransientError("unexpected", error="x", place="y"), reported=False)
    again(deployment, document_id, user)
    [job] = deployment.claims.claim("worker", 1, LEASE)
    assert (job.attempt, job.attempt_of("unexpected"), job.failures) == (1, 1, {})


def test_a_lasting_fault_becomes_a_dead_letter_after_three_retries(deployment: Deployment, user: UserId) -> None:
    broken = failing(deployment, TransientError("unexpected", error="OSError", place="a test"), 100)
    document_id = ingest(broken, user, policy_text())
    status = deployment.documents.status(document_id)
    assert status is not None
    assert (status.stage, status.state, status.attempts) == (Stage.PARSING, State.DEADLETTER, 4)


def test_waiting_for_a_resource_burns_no_attempt(deployment: Deployment, user: UserId) -> None:
    waiting = failing(deployment, ResourceError("key_missing"), 9)
    document_id = ingest(waiting, user, policy_text())
    status = deployment.documents.status(document_id)
    assert status is not None
    assert (status.state, status.attempts) == (State.DONE, 0)


def test_of_an_unexpected_exception_neither_text_nor_names_are_kept(deployment: Deployment, user: UserId) -> None:
    broken = failing(deployment, KeyError("John Doe's diagnosis"), 100)
    document_id = ingest(broken, user, policy_text())
    explanation = explain_document(document_id, documents=deployment.documents)
    assert explanation.status is not None
    assert explanation.status.error_code == "unexpected"
    assert "KeyError" in (explanation.status.error_message or "")
    assert "diagnosis" not in str(explanation)


def test_a_replayed_dead_letter_goes_on_without_its_earlier_failures(deployment: Deployment, user: UserId) -> None:
    document_id = ingest(failing(deployment, PermanentError("corrupt"), 1), user, policy_text())
    assert deployment.operations.replay([document_id], TEST) == [document_id]
    drain_all(deployment)
    status = deployment.documents.status(document_id)
    assert status is not None
    assert (status.state, status.attempts) == (State.DONE, 0)


def test_every_history_is_a_walk_of_legal_moves(deployment: Deployment, user: UserId) -> None:
    flaky = failing(deployment, TransientError("unexpected", error="OSError", place="a test"), 1)
    retried = ingest(flaky, user, policy_text("Retried"), "retried.md")
    dead = ingest(failing(deployment, PermanentError("corrupt"), 1), user, policy_text("Dead"), "dead.md")
    deployment.operations.replay([retried, dead], TEST)
    submit(deployment, user, policy_text("Retried") + "\nA new version.\n", "retried.md")
    deployment.claims.claim("leaving", 9, LEASE)
    deployment.claims.release("leaving")
    deployment.claims.claim("dying", 9, timedelta(0))
    deployment.claims.reclaim(3, TEST)
    drain_all(deployment)
    deployment.claims.take(retried, "somebody", LEASE, Stage.CHUNKING)
    deployment.claims.release("somebody")
    drain_all(deployment)
    for document_id in (retried, dead):
        history = deployment.documents.history(document_id)
        assert history[-1].state is State.DONE
        assert all(is_legal(event.stage, event.state) for event in history)
        for before, after in pairwise(history):
            assert after.state in STATE_MOVES[before.state], (before, after)


def test_a_replay_does_not_parse_again_what_was_parsed(deployment: Deployment, user: UserId) -> None:
    parser = FailingParser(deployment.parser, ValueError(), 0)
    counted = deployment.replacing(parser=parser)
    document_id = submit(counted, user, policy_text()).document_id
    [job] = counted.claims.claim("dying", 1, LEASE)
    take_through(counted, job, "parsed_markdown")
    counted.claims.release("dying", document_id)
    drain_all(counted)
    assert parser.calls == 1


def test_a_silent_worker_gives_its_documents_back_and_the_third_death_is_poison(
    deployment: Deployment, user: UserId
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    for death in (1, 2, 3):
        [job] = deployment.claims.claim(f"worker {death}", 1, timedelta(0))
        move(deployment, job, Stage.JOB_VALIDATED, Stage.PARSING)
        assert deployment.claims.reclaim(3, TEST) == 1
        status = deployment.documents.status(document_id)
        assert status is not None
        assert status.state is (State.DEADLETTER if death == 3 else State.QUEUED)
    assert status is not None
    assert status.error_code == "crashed_worker"
    assert status.error_message == (
        "Its worker was killed, crashed or fell silent 3 times while it worked on this document."
    )


def test_whoever_lost_the_claim_can_change_nothing_any_more(deployment: Deployment, user: UserId) -> None:
    submit(deployment, user, policy_text())
    [job] = deployment.claims.claim("slow", 1, timedelta(0))
    deployment.claims.reclaim(3, TEST)
    deployment.claims.claim("quick", 1, LEASE)
    with pytest.raises(ResourceError, match="claim_lost"):
        move(deployment, job, Stage.JOB_VALIDATED)


def test_a_worker_that_outlives_its_document_leaves_nothing_of_it_behind(
    deployment: Deployment, user: UserId, settings: Settings
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    [job] = deployment.claims.claim("slow", 1, LEASE)
    step = deployment.steps["parsed_markdown"]
    parsed = step.run(job)
    deployment.deletion.delete(document_id, TEST)
    with pytest.raises(ResourceError, match="claim_lost"):
        step.store(job, parsed)
    assert not [path for path in settings.objects_folder.rglob("*") if path.is_file()]


def test_stored_bytes_that_were_damaged_are_noticed(deployment: Deployment, user: UserId) -> None:
    accepted = submit(deployment, user, policy_text())
    document = deployment.documents.find(accepted.document_id)
    assert document is not None
    deployment.objects.put(f"{user}/{document.document_id}/{document.content_sha}", b"other bytes")
    drain_all(deployment)
    status = deployment.documents.status(accepted.document_id)
    assert status is not None
    assert status.error_code == "content_missing"


def test_a_full_disk_while_storing_loses_nothing_and_says_so(
    deployment: Deployment, user: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(IngestError) as raised:
        submit(deployment, user, policy_text())
    assert raised.value.code == "storage_full"
    assert deployment.documents.counts()["documents"] == 0
    monkeypatch.undo()
    ingest(deployment, user, policy_text())
    assert deployment.documents.counts()["searchable"] == 1
