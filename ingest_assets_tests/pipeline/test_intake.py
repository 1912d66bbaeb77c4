"""Bytes before rows, and nothing half done, whoever else is at work."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Lock
from typing import Any

import psycopg
import pytest

from ingest_assets.adapters.object_stores.local_files import LocalFiles
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.documents.intake_records import PostgresIntakeRecords
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Acceptance, AcceptanceStatus, Arrival, UserId
from ingest_assets.domain.errors import OutageError, ResourceError, TransientError
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.pipeline.intake import IncomingFile
from ingest_assets.pipeline.stored_objects import content_key
from ingest_assets.settings import Settings
from ingest_assets_tests.documents import TEST, drain_all, policy_text, submit


class FullStore(LocalFiles):
    """Has room for one more object."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._room, self._lock = 1, Lock()

    def put(self, key: str, content: bytes) -> None:
        with self._lock:
            self._room -= 1
            full = self._room < 0
        if full:
            raise OutageError("storage_full")
        super().put(key, content)


class MeanwhileRecords(PostgresIntakeRecords):
    """Something happens once between the look and the leap."""

    def __init__(self, database: Database, happens: Callable[[], object]) -> None:
        super().__init__(database)
        self._happens = [happens]

    def accept(
        self,
        arrivals: Sequence[Arrival],
        located: Sequence[Acceptance],
        actor: Actor,
        are_stored: Callable[[], bool] = lambda: True,
    ) -> list[Acceptance] | None:
        if self._happens:
            self._happens.pop()()
        return super().accept(arrivals, located, actor, are_stored)


def incoming(user: UserId, *subjects: str, suffix: str = "") -> list[IncomingFile]:
    contents = [(subject, (policy_text(subject, 2) + suffix).encode()) for subject in subjects]
    return [IncomingFile(content, f"{name}.md", f"/documents/{name}.md", user) for name, content in contents]


def take_all(deployment: Deployment, files: list[IncomingFile]) -> list[Acceptance]:
    return deployment.intake.take_in([deployment.intake.check(file) for file in files], TEST)


def statuses(accepted: list[Acceptance]) -> list[AcceptanceStatus]:
    return [each.status for each in accepted]


def stored(settings: Settings) -> list[Path]:
    return [path for path in settings.objects_folder.rglob("*") if path.is_file()]


@pytest.fixture
def database(database_url: str) -> Any:
    database = Database(database_url)
    yield database
    database.close()


def test_nothing_is_queued_and_no_bytes_stay_where_the_store_is_full(
    deployment: Deployment, settings: Settings, user: UserId
) -> None:
    full = deployment.replacing(objects=FullStore(settings.objects_folder))
    with pytest.raises(ResourceError, match="storage_full"):
        take_all(full, incoming(user, "A", "B", "C"))
    assert stored(settings) == []
    assert deployment.documents.counts()["documents"] == 0


def test_a_new_version_for_which_there_is_no_room_leaves_the_old_one_as_it_was(
    deployment: Deployment, settings: Settings, user: UserId
) -> None:
    take_all(deployment, incoming(user, "A", "B"))
    before = stored(settings)
    full = deployment.replacing(objects=FullStore(settings.objects_folder))
    with pytest.raises(ResourceError, match="storage_full"):
        take_all(full, incoming(user, "A", "B", suffix="\nMore.\n"))
    assert set(before) <= set(stored(settings))
    assert statuses(take_all(deployment, incoming(user, "A", "B"))) == [AcceptanceStatus.UNCHANGED] * 2


def test_two_that_take_the_same_files_in_at_once_make_each_document_once(
    deployment: Deployment, settings: Settings, user: UserId
) -> None:
    files, together = incoming(user, *(f"Subject {number}" for number in range(20))), Barrier(4)

    def take(_number: int) -> list[Acceptance]:
        together.wait()
        return take_all(deployment, files)

    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(take, range(4)))
    assert len({tuple(each.document_id for each in accepted) for accepted in told}) == 1
    assert deployment.documents.counts()["documents"] == 20
    assert len(stored(settings)) == 20


def test_a_document_that_is_deleted_before_its_copy_is_accepted_is_made_anew_with_its_bytes(
    deployment: Deployment, settings: Settings, user: UserId, database: Database
) -> None:
    first = submit(deployment, user, policy_text("A"))

    def delete() -> None:
        deployment.deletion.delete(first.document_id, TEST)

    unlucky = deployment.replacing(intake_records=MeanwhileRecords(database, delete))
    again = submit(unlucky, user, policy_text("A"), "copy.md")
    assert (again.status, again.document_id == first.document_id) == (AcceptanceStatus.QUEUED, False)
    assert drain_all(deployment).done == 1


def test_a_copy_that_somebody_else_has_taken_in_meanwhile_is_shared_and_leaves_no_bytes_behind(
    deployment: Deployment, settings: Settings, user: UserId, database: Database
) -> None:
    unlucky = deployment.replacing(
        intake_records=MeanwhileRecords(database, lambda: submit(deployment, user, policy_text("A"), "first.md"))
    )
    copy = submit(unlucky, user, policy_text("A"), "copy.md")
    assert copy.status is AcceptanceStatus.UNCHANGED
    assert len(stored(settings)) == 1
    assert set(deployment.documents.sources(copy.document_id)) == {"/documents/first.md", "/documents/copy.md"}


def test_a_deadlock_with_a_worker_is_resolved_and_tried_again(
    deployment: Deployment, user: UserId, database_url: str
) -> None:
    """The worker holds the jobs in the opposite order: renewing a lease has none."""
    first, second = sorted(take_all(deployment, incoming(user, "A", "B")), key=lambda each: each.job_id)
    lock = "UPDATE upload_pipeline.upload_jobs SET crashes = crashes WHERE job_id = %s"
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with (
        ThreadPoolExecutor(1) as thread,
        psycopg.connect(database_url, autocommit=True) as watcher,
        psycopg.connect(database_url) as worker,
    ):
        worker.execute("SET deadlock_timeout = '60s'")
        worker.execute(lock, [second.job_id])
        edited = thread.submit(take_all, deployment, incoming(user, "A", "B", suffix="\nMore.\n"))
        while watcher.execute(waiting).fetchone() == (0,):
            assert not edited.done()
        worker.execute(lock, [first.job_id])
        worker.commit()
        assert statuses(edited.result()) == [AcceptanceStatus.NEW_VERSION] * 2
    assert drain_all(deployment).done == 2


ENDING = """
CREATE FUNCTION upload_pipeline.end_session() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER ends_session AFTER INSERT ON upload_pipeline.upload_jobs
{when} FOR EACH ROW EXECUTE FUNCTION upload_pipeline.end_session();
"""
BEFORE_THE_COMMIT, IN_THE_COMMIT = "NOT DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED"


def lose_the_connection(database_url: str, when: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(ENDING.format(when=when).encode())


def test_a_batch_that_the_database_certainly_did_not_take_leaves_no_bytes(
    deployment: Deployment, settings: Settings, user: UserId, database_url: str
) -> None:
    lose_the_connection(database_url, BEFORE_THE_COMMIT)
    with pytest.raises(OutageError, match="database_unreachable"):
        take_all(deployment, incoming(user, *(f"Subject {number}" for number in range(64))))
    assert stored(settings) == []


def test_a_batch_that_the_database_may_have_taken_keeps_its_bytes_and_says_that_it_is_unknown(
    deployment: Deployment, settings: Settings, user: UserId, database_url: str
) -> None:
    lose_the_connection(database_url, IN_THE_COMMIT)
    with pytest.raises(TransientError, match="intake_unconfirmed"):
        take_all(deployment, incoming(user, "A", "B"))
    assert len(stored(settings)) == 2


def test_bytes_that_disappear_before_their_row_is_written_are_stored_again(
    deployment: Deployment, settings: Settings, user: UserId, database: Database
) -> None:
    def lose_all() -> None:
        for path in stored(settings):
            path.unlink()

    submit(deployment, user, policy_text("A"), "a.md")
    for name in ("a.md", "new.md"):
        unlucky = deployment.replacing(intake_records=MeanwhileRecords(database, lose_all))
        accepted = submit(unlucky, user, policy_text(f"B in {name}"), name)
        document = deployment.documents.find(accepted.document_id)
        assert document is not None
        assert deployment.objects.get(content_key(document)) == policy_text(f"B in {name}").encode()


def test_a_store_that_fails_while_tidying_up_does_not_hide_what_became_of_the_files(
    deployment: Deployment, user: UserId, settings: Settings, database: Database
) -> None:
    class Untidy(LocalFiles):
        def delete_below(self, prefix: str) -> int:  # noqa: ARG002  the signature is the port's
            raise OutageError("storage_failed")

    records = MeanwhileRecords(database, lambda: submit(deployment, user, policy_text("A"), "first.md"))
    unlucky = deployment.replacing(intake_records=records, objects=Untidy(settings.objects_folder))
    assert submit(unlucky, user, policy_text("A"), "copy.md").status is AcceptanceStatus.UNCHANGED
