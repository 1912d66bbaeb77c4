"""What the queue must know of what Dagster has been told."""

from contextlib import AbstractContextManager, suppress
from datetime import timedelta

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.documents.retention import ListedDocuments
from ingest_assets.domain.queue.retry_policy import GiveUp
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.pipeline.ports.reporting import Partitions, Reports
from ingest_assets_tests.contracts.claiming_contract import CORRUPT, fill
from ingest_assets_tests.documents import LEASE, TEST, drain_all, ingest, policy_text

TOLD = {Stage.PARSE_VALIDATED, Stage.CHUNKS_BUFFERED, Stage.EMBEDDING, Stage.EMBEDDED}


IN_TRANSACTION = """
SELECT count(DISTINCT pid) AS sessions FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE relation = 'upload_pipeline.upload_jobs'::regclass AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


class DaemonDiedError(Exception):
    pass


def ids_in(some: AbstractContextManager[list[DocumentId]]) -> list[DocumentId]:
    with some as document_ids:
        return list(document_ids)


def interrupt(some: AbstractContextManager[object]) -> None:
    with suppress(DaemonDiedError), some:
        raise DaemonDiedError


def dead_letters(deployment: Deployment, user: UserId, count: int) -> list[DocumentId]:
    document_ids = fill(deployment, user, count)
    for job in deployment.claims.claim("worker", count, LEASE):
        deployment.claims.settle(job, GiveUp(), CORRUPT, reported=False)
    return document_ids


def past_reservations(deployment: Deployment) -> None:
    """Let what somebody has reserved be free again."""
    with deployment.database.connection() as connection:
        connection.execute("UPDATE upload_pipeline.upload_jobs SET telling_until = now() - interval '1 second'")


class ReportsContract:
    """A suite gives the fixture `reports`: those of its deployment."""

    @pytest.fixture
    def reports(self, deployment: Deployment) -> Reports:
        raise NotImplementedError

    def test_each_finished_job_is_given_once_with_what_its_assets_tell(
        self, reports: Reports, deployment: Deployment, user: UserId
    ) -> None:
        document_id = ingest(deployment, user, policy_text())
        with reports.finished(9) as outcomes:
            [outcome] = outcomes
        assert outcome.document_id == document_id
        assert outcome.payloads.keys() == TOLD
        assert outcome.payloads[Stage.CHUNKS_BUFFERED]["chunks"] == outcome.payloads[Stage.EMBEDDED]["chunks"]
        with reports.finished(9) as outcomes:
            assert outcomes == []

    def test_no_more_are_given_than_were_asked_for(
        self, reports: Reports, deployment: Deployment, user: UserId
    ) -> None:
        fill(deployment, user, 3)
        drain_all(deployment)
        given: list[DocumentId] = []
        for expected in (2, 1, 0):
            with reports.finished(2) as outcomes:
                assert len(outcomes) == expected
                given += [each.document_id for each in outcomes]
        assert len(set(given)) == 3

    def test_what_a_block_that_failed_was_given_is_given_again(
        self, reports: Reports, deployment: Deployment, user: UserId
    ) -> None:
        ingest(deployment, user, policy_text())
        interrupt(reports.finished(9))
        with reports.finished(9) as outcomes:
            assert len(outcomes) == 1

    def test_what_one_block_holds_another_is_not_given(
        self, reports: Reports, deployment: Deployment, user: UserId
    ) -> None:
        fill(deployment, user, 2)
        drain_all(deployment)
        with reports.finished(1) as first, reports.finished(9) as second:
            assert {each.job_id for each in first}.isdisjoint(each.job_id for each in second)
            assert (len(first), len(second)) == (1, 1)

    def test_a_slow_block_keeps_no_transaction_open(
        self, reports: Reports, deployment: Deployment, user: UserId
    ) -> None:
        dead_letters(deployment, user, 1)
        ingest(deployment, user, policy_text())
        with reports.finished(9), reports.dead_letters(9), deployment.database.connection() as connection:
            [row] = connection.execute(IN_TRANSACTION)
        assert row["sessions"] == 0

    def test_a_document_that_is_worked_on_again_during_a_block_is_given_again(
        self, reports: Reports, deployment: Deployment, user: UserId
    ) -> None:
        document_id = ingest(deployment, user, policy_text())
        with reports.finished(9):
            deployment.operations.refresh([document_id], TEST)
            drain_all(deployment)
        past_reservations(deployment)
        with reports.finished(9) as outcomes:
            assert [outcome.document_id for outcome in outcomes] == [document_id]

    def test_a_document_that_is_deleted_during_a_block_is_to_be_unlisted(
        self, reports: Reports, deployment: Deployment, user: UserId
    ) -> None:
        document_id = ingest(deployment, user, policy_text())
        with reports.finished(9):
            deployment.deletion.delete(document_id, TEST)
            ids_in(deployment.partitions.deleted(9))
        assert deployment.partitions.listed().deleted == 1

    def test_what_a_killed_process_was_given_is_given_again_after_a_while(
        self, reports: Reports, deployment: Deployment, user: UserId
    ) -> None:
        ingest(deployment, user, policy_text())
        killed = reports.finished(9)
        assert len(killed.__enter__()) == 1
        past_reservations(deployment)
        with reports.finished(9) as outcomes:
            assert len(outcomes) == 1

    def test_a_dead_letter_is_given_until_it_was_shown(
        self, reports: Reports, deployment: Deployment, user: UserId
    ) -> None:
        ids = dead_letters(deployment, user, 2)
        assert sorted(ids_in(reports.dead_letters(9))) == sorted(ids)
        reports.dead_letter_shown(ids[0])
        past_reservations(deployment)
        assert ids_in(reports.dead_letters(9)) == ids[1:]

    def test_each_dead_letter_is_given_once_unless_its_block_failed(
        self, reports: Reports, deployment: Deployment, user: UserId
    ) -> None:
        ids = fill(deployment, user, 3)
        for job in deployment.claims.claim("worker", 2, LEASE):
            deployment.claims.settle(job, GiveUp(), CORRUPT, reported=False)
        interrupt(reports.dead_letters(9))
        given = ids_in(reports.dead_letters(1)) + ids_in(reports.dead_letters(9))
        assert sorted(given) == sorted(ids[:2])
        assert ids_in(reports.dead_letters(9)) == []

    def test_a_finished_job_that_nobody_reports_becomes_overdue(
        self, reports: Reports, deployment: Deployment, user: UserId
    ) -> None:
        fill(deployment, user, 1)
        assert not reports.overdue(timedelta(0))
        drain_all(deployment)
        assert (reports.overdue(timedelta(0)), reports.overdue(timedelta(hours=1))) == (True, False)
        with reports.finished(9):
            pass
        assert not reports.overdue(timedelta(0))

    def test_a_finished_document_is_reported_once_more_to_the_dagster_that_was_told_of_it(
        self, reports: Reports, deployment: Deployment, user: UserId
    ) -> None:
        done, unfinished = ingest(deployment, user, policy_text()), fill(deployment, user, 1)[0]
        assert reports.told([done, unfinished], "here") == []
        with reports.finished(9, "here"):
            pass
        assert reports.told([done, unfinished], "here") == [done]
        assert reports.told([done, unfinished], "elsewhere") == []
        reports.repeat([done, unfinished])
        with reports.finished(9, "here") as outcomes:
            assert [outcome.document_id for outcome in outcomes] == [done]


class PartitionsContract:
    """A suite gives the fixture `partitions`: those of its deployment."""

    @pytest.fixture
    def partitions(self, deployment: Deployment) -> Partitions:
        raise NotImplementedError

    def test_finished_documents_are_listed_once_dagster_knows_of_them(
        self, partitions: Partitions, deployment: Deployment, user: UserId
    ) -> None:
        ingest(deployment, user, policy_text())
        fill(deployment, user, 1)
        assert partitions.listed() == ListedDocuments(finished=0, deleted=0)
        report(deployment)
        assert partitions.listed() == ListedDocuments(finished=1, deleted=0)

    def test_those_that_finished_first_are_unlisted_first(
        self, partitions: Partitions, deployment: Deployment, user: UserId
    ) -> None:
        ids = [ingest(deployment, user, policy_text(name), f"{name}.md") for name in ("Dental", "Travel", "Motor")]
        report(deployment)
        assert ids_in(partitions.oldest(2)) == ids[:2]
        assert partitions.listed().finished == 1
        assert ids_in(partitions.oldest(2)) == ids[2:]
        assert ids_in(partitions.oldest(2)) == []

    def test_a_document_that_finishes_again_is_listed_again(
        self, partitions: Partitions, deployment: Deployment, user: UserId
    ) -> None:
        document_id = ingest(deployment, user, policy_text())
        report(deployment)
        ids_in(partitions.oldest(1))
        deployment.operations.refresh([document_id], TEST)
        drain_all(deployment)
        report(deployment)
        assert ids_in(partitions.oldest(1)) == [document_id]

    def test_what_a_block_that_failed_was_given_stays_listed(
        self, partitions: Partitions, deployment: Deployment, user: UserId
    ) -> None:
        gone, finished = (ingest(deployment, user, policy_text(name), f"{name}.md") for name in ("Dental", "Travel"))
        report(deployment)
        deployment.deletion.delete(gone, TEST)
        interrupt(partitions.oldest(9))
        interrupt(partitions.deleted(9))
        assert partitions.listed() == ListedDocuments(finished=1, deleted=1)
        assert ids_in(partitions.oldest(9)) == [finished]

    def test_deleted_documents_are_unlisted_once(
        self, partitions: Partitions, deployment: Deployment, user: UserId
    ) -> None:
        ids = fill(deployment, user, 3)
        for document_id in ids:
            deployment.deletion.delete(document_id, TEST)
        assert partitions.listed().deleted == 3
        assert sorted(ids_in(partitions.deleted(2)) + ids_in(partitions.deleted(2))) == sorted(ids)
        assert partitions.listed().deleted == 0
        assert ids_in(partitions.deleted(2)) == []


def report(deployment: Deployment) -> None:
    """Tell Dagster of all that is finished."""
    with deployment.reports.finished(99):
        pass
