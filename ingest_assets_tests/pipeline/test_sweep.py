"""Store and database are compared both ways, and only what is of no use leaves."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from pydantic import SecretStr

from ingest_assets.adapters.object_stores.local_files import LocalFiles
from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.documents.object_records import PostgresObjectRecords
from ingest_assets.adapters.postgres.migrations import migrate
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Document, DocumentId, UserId
from ingest_assets.domain.documents.stored_object import StoredObject
from ingest_assets.domain.documents.sweeping import RecordedObjects, Surplus, SweepLimits
from ingest_assets.domain.errors import OutageError, PermanentError
from ingest_assets.pipeline.ports.sweeping import HeldDocuments, ObjectRecords
from ingest_assets.pipeline.stored_objects import content_key
from ingest_assets.pipeline.sweep import Removed, Sweep
from ingest_assets.posix.files import UNFINISHED
from ingest_assets.settings import Settings
from ingest_assets_tests.conftest import deployment_for
from ingest_assets_tests.contracts.sweeping_contract import ObjectRecordsContract
from ingest_assets_tests.documents import TEST, claim_one, drain_all, ingest, policy_text, submit
from ingest_assets_tests.pipeline.test_intake import (
    IN_THE_COMMIT,
    MeanwhileRecords,
    incoming,
    lose_the_connection,
    stored,
    take_all,
)

AT_ONCE = SweepLimits(timedelta(0), timedelta(0))
DAY = timedelta(days=1)


class TestPostgresObjectRecords(ObjectRecordsContract):
    @pytest.fixture
    def records(self, deployment: Deployment) -> ObjectRecords:
        return PostgresObjectRecords(deployment.database)


@pytest.fixture
def sweep(deployment: Deployment) -> Sweep:
    return deployment.sweep


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def age(deployment: Deployment, settings: Settings) -> Callable[[timedelta], None]:
    """Let so much time pass since everything so far."""

    def age(by: timedelta) -> None:
        for path in stored(settings):
            seconds = path.stat().st_mtime - by.total_seconds()
            os.utime(path, (seconds, seconds))
        with deployment.database.connection() as connection:
            connection.execute("UPDATE upload_pipeline.documents SET updated_at = updated_at - %s", [by])

    return age


def counts(sweep: Sweep) -> dict[str, int]:
    """Return what the sweep finds of no use."""
    return {kind.value: count for kind, count in sweep.compare().surplus.items() if count}


def found(deployment: Deployment, document_id: DocumentId) -> Document:
    document = deployment.documents.find(document_id)
    assert document is not None
    return document


@dataclass
class MeanwhileHeld:
    """Something happens once between the comparison and the removal."""

    records: ObjectRecords
    happens: Callable[[], object]

    def by_owner(self) -> Iterator[RecordedObjects]:
        return self.records.by_owner()

    def of_documents(self, document_ids: Sequence[DocumentId]) -> dict[DocumentId, RecordedObjects]:
        return self.records.of_documents(document_ids)

    @contextmanager
    def held(self, user_id: UserId, document_ids: Sequence[DocumentId]) -> Iterator[HeldDocuments]:
        self.happens()
        with self.records.held(user_id, document_ids) as held:
            yield held


def test_a_healthy_deployment_agrees(sweep: Sweep, deployment: Deployment, user: UserId, settings: Settings) -> None:
    for number in range(3):
        ingest(deployment, user, policy_text(f"Subject {number}", 2), f"{number}.md")
    submit(deployment, user, policy_text("Waiting", 2), "waiting.md")
    findings = replace(sweep, limits=AT_ONCE).compare()
    assert (findings.agrees, findings.objects, findings.foreign) == (True, 7, 0)
    assert replace(sweep, limits=AT_ONCE).remove_surplus() == Removed(0, 0)
    assert len(stored(settings)) == 7


def test_bytes_that_an_unconfirmed_submission_left_go_after_a_day(
    sweep: Sweep,
    deployment: Deployment,
    settings: Settings,
    user: UserId,
    database_url: str,
    age: Callable[[timedelta], None],
) -> None:
    lose_the_connection(database_url, IN_THE_COMMIT)
    files = incoming(user, *(f"Subject {number}" for number in range(64)))
    with pytest.raises(Exception, match="intake_unconfirmed"):
        take_all(deployment, files)
    age(timedelta(hours=23))
    assert (counts(sweep), sweep.remove_surplus().objects) == ({}, 0)
    age(timedelta(hours=2))
    assert counts(sweep) == {"orphaned": 64}
    assert sweep.remove_surplus() == Removed(64, sum(len(each.content) for each in files))
    assert stored(settings) == []


def test_what_a_killed_writer_left_goes_after_a_day(
    sweep: Sweep, deployment: Deployment, settings: Settings, user: UserId, age: Callable[[timedelta], None]
) -> None:
    document = found(deployment, ingest(deployment, user, policy_text()))
    folder = (settings.objects_folder / content_key(document)).parent
    (folder / f"{UNFINISHED}x7").write_bytes(b"half")
    assert counts(sweep) == {}
    age(2 * DAY)
    assert counts(sweep) == {"unfinished": 1}
    assert sweep.remove_surplus() == Removed(1, 4)
    assert (counts(sweep), len(stored(settings))) == ({}, 2)


def test_bytes_of_a_replaced_version_go_a_week_after_they_were_replaced(
    sweep: Sweep, deployment: Deployment, settings: Settings, user: UserId, age: Callable[[timedelta], None]
) -> None:
    ingest(deployment, user, policy_text("First", 2))
    age(300 * DAY)
    document_id = ingest(deployment, user, policy_text("Second", 2))
    age(6 * DAY)
    assert counts(sweep) == {}
    age(2 * DAY)
    assert counts(sweep) == {"replaced": 2}
    sweep.remove_surplus()
    assert len(stored(settings)) == 2
    assert deployment.sweep.compare().agrees
    assert deployment.objects.get(content_key(found(deployment, document_id))) == policy_text("Second", 2).encode()


def test_a_document_that_changes_daily_keeps_a_week_of_versions(
    sweep: Sweep, deployment: Deployment, settings: Settings, user: UserId, age: Callable[[timedelta], None]
) -> None:
    for day in range(12):
        ingest(deployment, user, policy_text(f"Day {day}", 2))
        age(DAY)
    assert counts(sweep) == {"replaced": 2 * 5}
    sweep.remove_surplus()
    assert len(stored(settings)) == 2 * 7


def test_the_version_that_searches_find_keeps_its_bytes(
    sweep: Sweep, deployment: Deployment, user: UserId, age: Callable[[timedelta], None]
) -> None:
    ingest(deployment, user, policy_text("Found", 2))
    submit(deployment, user, policy_text("Waiting", 2))
    age(30 * DAY)
    assert (counts(sweep), sweep.remove_surplus().objects) == ({}, 0)
    drain_all(deployment)
    age(8 * DAY)
    assert counts(sweep) == {"replaced": 2}


def test_a_document_without_its_bytes_is_named_and_nothing_of_it_is_removed(
    sweep: Sweep, deployment: Deployment, settings: Settings, user: UserId
) -> None:
    whole = ingest(deployment, user, policy_text("Whole", 2), "whole.md")
    document = found(deployment, ingest(deployment, user, policy_text("Lost", 2), "lost.md"))
    (settings.objects_folder / content_key(document)).unlink()
    findings = replace(sweep, limits=AT_ONCE).compare()
    assert (findings.missing, findings.incomplete, findings.agrees) == (1, (document.document_id,), False)
    assert replace(sweep, limits=AT_ONCE).remove_surplus().objects == 0
    assert deployment.documents.find(whole) is not None
    assert deployment.documents.find(document.document_id) is not None


def test_a_document_that_changes_while_it_is_compared_lacks_nothing(
    sweep: Sweep, deployment: Deployment, user: UserId
) -> None:
    document_id = ingest(deployment, user, policy_text("First", 2))

    @dataclass
    class Late(MeanwhileHeld):
        def by_owner(self) -> Iterator[RecordedObjects]:
            recorded = list(self.records.by_owner())
            self.happens()
            return iter(recorded)

    for change in (
        lambda: submit(deployment, user, policy_text("Second", 2)),
        lambda: deployment.deletion.delete(document_id, TEST),
    ):
        late = replace(sweep, records=Late(sweep.records, change))
        assert late.compare().missing == 0


def test_files_of_others_are_counted_and_stay(sweep: Sweep, settings: Settings) -> None:
    folder = settings.objects_folder / "somebody"
    folder.mkdir(parents=True)
    for name in ("notes.txt", f"{UNFINISHED}notes"):
        (folder / name).write_text("mine")
    swept = replace(sweep, limits=AT_ONCE)
    assert (swept.compare().foreign, swept.remove_surplus().objects) == (2, 0)
    assert len(stored(settings)) == 2


def test_what_doctor_left_when_it_was_killed_goes(
    sweep: Sweep, deployment: Deployment, settings: Settings, age: Callable[[timedelta], None]
) -> None:
    deployment.objects.put("doctor/11111111-1111-4111-8111-111111111111/probe", b"probe")
    assert counts(sweep) == {}
    age(2 * DAY)
    assert sweep.remove_surplus().objects == 1
    assert stored(settings) == []


def test_a_document_in_work_is_left_alone(
    sweep: Sweep, deployment: Deployment, settings: Settings, user: UserId
) -> None:
    document_id = ingest(deployment, user, policy_text("First", 2))
    submit(deployment, user, policy_text("Second", 2))
    with deployment.database.connection() as connection:  # as if the first version had never been found
        connection.execute("UPDATE upload_pipeline.documents SET live_version = NULL")
    claim_one(deployment)
    swept = replace(sweep, limits=AT_ONCE)
    assert (counts(swept), swept.remove_surplus().objects) == ({"replaced": 1}, 0)
    assert found(deployment, document_id).version == 2


def replaced_once(deployment: Deployment, user: UserId, age: Callable[[timedelta], None]) -> None:
    ingest(deployment, user, policy_text("First", 2))
    ingest(deployment, user, policy_text("Second", 2))
    age(8 * DAY)
    assert deployment.sweep.compare().surplus[Surplus.REPLACED] == 2


def test_an_old_content_that_comes_back_while_it_is_swept_stays(
    sweep: Sweep, deployment: Deployment, user: UserId, age: Callable[[timedelta], None]
) -> None:
    replaced_once(deployment, user, age)
    back: list[DocumentId] = []

    def come_back() -> None:
        if not back:
            back.append(submit(deployment, user, policy_text("First", 2)).document_id)

    replace(sweep, records=MeanwhileHeld(sweep.records, come_back)).remove_surplus()
    assert deployment.objects.get(content_key(found(deployment, back[0]))) == policy_text("First", 2).encode()
    drain_all(deployment)
    assert deployment.documents.counts()["searchable"] == 1
    assert sweep.compare().missing == 0


@pytest.mark.parametrize("text", ["First", "New"])
def test_bytes_that_are_swept_before_their_row_is_written_are_stored_again(
    sweep: Sweep, deployment: Deployment, user: UserId, age: Callable[[timedelta], None], text: str, database: Database
) -> None:
    replaced_once(deployment, user, age)
    removed: list[Removed] = []

    def sweep_all() -> None:
        removed.append(replace(sweep, limits=AT_ONCE).remove_surplus())

    hurried = deployment.replacing(intake_records=MeanwhileRecords(database, sweep_all))
    name = "policy.md" if text == "First" else "new.md"
    back = submit(hurried, user, policy_text(text, 2), name).document_id
    assert removed[0].objects > 0
    assert deployment.objects.get(content_key(found(deployment, back))) == policy_text(text, 2).encode()
    drain_all(deployment)
    assert sweep.compare().missing == 0


def test_many_users_and_documents_are_compared_in_parts(
    sweep: Sweep, deployment: Deployment, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest_assets.adapters.postgres.documents.object_records.AT_ONCE", 3)
    monkeypatch.setattr("ingest_assets.pipeline.sweep.HELD_AT_ONCE", 2)
    users = [UserId(UUID(int=number)) for number in (1, 2, 3)]
    for owner in users:
        take_all(deployment, incoming(owner, *(f"Subject {number}" for number in range(7))))
    kept = set(stored(settings))
    for path in kept:
        orphan = settings.objects_folder / path.parent.parent.name / _other(path) / path.name
        orphan.parent.mkdir()
        orphan.write_bytes(b"orphan")
    swept = replace(sweep, limits=AT_ONCE)
    assert counts(swept) == {"orphaned": 21}
    assert swept.remove_surplus() == Removed(21, 21 * len(b"orphan"))
    assert set(stored(settings)) == kept


def _other(path: Path) -> str:
    """Return the id of a document that does not exist, beside that of one that does."""
    return path.parent.name[:-1] + ("0" if path.parent.name[-1] != "0" else "1")


@pytest.fixture
def stranger(empty_database_url: str, settings: Settings, parser: LocalParser) -> Iterator[Deployment]:
    """A deployment on a new database whose settings name the store of another one."""
    migrate(empty_database_url)
    update = {"database_url": SecretStr(empty_database_url), "storage_url": settings.objects_folder.as_uri()}
    with deployment_for(settings.model_copy(update=update), parser) as made:
        yield made


def test_the_store_of_another_database_loses_nothing(
    deployment: Deployment, stranger: Deployment, settings: Settings, user: UserId
) -> None:
    ingest(deployment, user, policy_text())
    kept = stored(settings)
    with pytest.raises(OutageError, match="store_mismatched"):
        replace(stranger.sweep, limits=AT_ONCE).remove_surplus()
    assert stored(settings) == kept
    assert replace(deployment.sweep, limits=AT_ONCE).remove_surplus() == Removed(0, 0)


def test_nothing_is_taken_into_the_store_of_another_database(
    deployment: Deployment, stranger: Deployment, settings: Settings, user: UserId
) -> None:
    ingest(deployment, user, policy_text())
    kept = stored(settings)
    with pytest.raises(OutageError, match="store_mismatched"):
        submit(stranger, user, policy_text("Foreign"))
    assert stored(settings) == kept
    assert stranger.documents.counts()["searchable"] == 0


def test_a_store_of_which_most_belongs_to_no_document_loses_nothing(
    sweep: Sweep, deployment: Deployment, settings: Settings, user: UserId
) -> None:
    submit(deployment, user, policy_text())
    for number in range(4):
        deployment.objects.put(f"{user}/{UUID(int=number)}/{'0' * 64}", b"orphan")
    hurried = replace(AT_ONCE, orphans=3)
    with pytest.raises(PermanentError, match="sweep_suspicious"):
        replace(sweep, limits=hurried).remove_surplus()
    assert len(stored(settings)) == 5
    assert replace(sweep, limits=replace(hurried, orphans=4)).remove_surplus().objects == 4


def test_many_orphans_are_not_suspicious_among_more_documents(
    sweep: Sweep, deployment: Deployment, settings: Settings, user: UserId
) -> None:
    take_all(deployment, incoming(user, *(f"Subject {number}" for number in range(5))))
    for number in range(4):
        deployment.objects.put(f"{user}/{UUID(int=number)}/{'0' * 64}", b"orphan")
    assert replace(sweep, limits=replace(AT_ONCE, orphans=3)).remove_surplus().objects == 4
    assert len(stored(settings)) == 5


class LosingTheLock(LocalFiles):
    """So slow that the server has ended the sweep's session by the time an object is removed."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder)
        self.url = url

    def remove(self, found: StoredObject) -> bool:
        with psycopg.connect(self.url) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        return super().remove(found)


def test_a_sweep_that_has_lost_its_lock_removes_nothing_more(
    sweep: Sweep, deployment: Deployment, settings: Settings, user: UserId, database_url: str
) -> None:
    for number in range(3):
        deployment.objects.put(f"{user}/{UUID(int=number)}/{'0' * 64}", b"orphan")
    slow = replace(sweep, limits=AT_ONCE, objects=LosingTheLock(settings.objects_folder, database_url))
    with pytest.raises(OutageError, match="database_unreachable"):
        slow.remove_surplus()
    assert len(stored(settings)) == 2
