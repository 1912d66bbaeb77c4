"""What a backup, and restoring it, must be able to rely on."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.backups import Manifest
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.documents.stored_object import StoredObject
from ingest_assets.domain.documents.sweeping import RecordedObjects
from ingest_assets.domain.errors import PermanentError
from ingest_assets.pipeline.ports.backing_up import NewBackup, RestorePlace, Snapshots, WholeBackup
from ingest_assets_tests.documents import TEST, claim_one, policy_text, submit

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def manifest_for(new: NewBackup, **changes: Any) -> Manifest:
    dump, object_list = new.sums()
    made = Manifest(
        backup_id=uuid4(),
        taken_at=NOW,
        finished_at=NOW,
        program="1",
        server=15,
        tools=15,
        migrations=("0001_pre_schema",),
        roles=(),
        store_id=uuid4(),
        counts={"documents": 0, "objects": 0},
        dump=dump,
        object_list=object_list,
        deleted=(),
        missing=(),
    )
    return replace(made, **changes)


def stored(key: str, content: bytes, written_at: datetime = NOW) -> StoredObject:
    return StoredObject(key, len(content), written_at)


class SnapshotsContract:
    """A suite gives the fixture `snapshots`: those of its deployment."""

    @pytest.fixture
    def snapshots(self, deployment: Deployment) -> Snapshots:
        raise NotImplementedError

    def test_a_snapshot_knows_nothing_of_what_comes_later(
        self, snapshots: Snapshots, deployment: Deployment, user: UserId, tmp_path: Path
    ) -> None:
        before = submit(deployment, user, policy_text("Dental"), "dental.md").document_id
        with snapshots.taken() as snapshot:
            submit(deployment, user, policy_text("Zebra"), "zebra.md")
            assert [each.document_id for each in snapshot.records] == [before]
            assert snapshot.counts["documents"] == 1
            assert snapshots.dump(snapshot, tmp_path / "dump") >= snapshot.server

    def test_records_come_in_the_order_of_keys(
        self, snapshots: Snapshots, deployment: Deployment, user: UserId, other_user: UserId
    ) -> None:
        for number in range(4):
            for owner in (user, other_user):
                submit(deployment, owner, policy_text(f"Subject {number}", 1), f"{number}.md")
        with snapshots.taken() as snapshot:
            owners = [(str(each.user_id), str(each.document_id)) for each in snapshot.records]
        assert owners == sorted(owners)

    def test_what_cannot_be_dumped_is_an_error(self, snapshots: Snapshots, tmp_path: Path) -> None:
        with snapshots.taken() as snapshot, pytest.raises(PermanentError, match="dump_failed"):
            snapshots.dump(replace(snapshot, name="00000000-00000000-1"), tmp_path / "dump")


class NewBackupContract:
    """A suite gives the fixture `make`: it begins a backup, where those that it made before may lie."""

    @pytest.fixture
    def make(self) -> Callable[[], NewBackup]:
        raise NotImplementedError

    def test_what_is_noted_is_wanted_in_the_same_order(self, make: Callable[[], NewBackup]) -> None:
        new = make()
        records = [
            RecordedObjects(
                UserId(uuid4()),
                DocumentId(uuid4()),
                frozenset({"a"}),
                frozenset({"a", "b"}),
                is_superseded=False,
                changed_at=NOW,
            )
            for _ in range(3)
        ]
        assert new.note(iter(records)) == 3
        assert list(new.wanted()) == records

    def test_an_object_is_read_once_and_then_taken_from_an_earlier_backup_complete_or_not(
        self, make: Callable[[], NewBackup]
    ) -> None:
        first = make()
        assert first.keep(stored("a", b"one"), lambda: b"one")
        first.sums()  # its maker then dies
        second = make()
        assert not second.keep(stored("a", b"one"), unreadable)
        assert second.keep(stored("b", b"two"), lambda: b"two")

    def test_an_object_that_has_changed_is_read_again(self, make: Callable[[], NewBackup]) -> None:
        first = make()
        for key in "abc":
            first.keep(stored(key, b"one"), lambda: b"one")
        first.sums()
        second = make()
        assert second.keep(stored("a", b"one", NOW + timedelta(seconds=1)), lambda: b"one")
        assert second.keep(stored("b", b"three"), lambda: b"three")
        assert not second.keep(stored("c", b"one"), unreadable)


class WholeBackupContract:
    """A suite gives the fixture `make`, and the fixture `finished`, which finishes a backup and reads it."""

    @pytest.fixture
    def make(self) -> Callable[[], NewBackup]:
        raise NotImplementedError

    @pytest.fixture
    def finished(self) -> Callable[[NewBackup, Manifest], WholeBackup]:
        raise NotImplementedError

    @pytest.fixture
    def whole(
        self, make: Callable[[], NewBackup], finished: Callable[[NewBackup, Manifest], WholeBackup]
    ) -> WholeBackup:
        new = make()
        new.note([])
        new.dump.write_bytes(b"rows")
        new.keep(stored("a", b"one"), lambda: b"one")
        new.keep(stored("b", b"two"), lambda: b"two")
        return finished(new, manifest_for(new))

    def test_it_holds_what_was_kept(self, whole: WholeBackup) -> None:
        whole.check()
        assert [(each.key, whole.content(each)) for each in whole.objects()] == [("a", b"one"), ("b", b"two")]

    def test_the_manifest_comes_back_as_it_was(
        self, make: Callable[[], NewBackup], finished: Callable[[NewBackup, Manifest], WholeBackup]
    ) -> None:
        new = make()
        new.note([])
        manifest = manifest_for(new, deleted=(DocumentId(uuid4()),), missing=(DocumentId(uuid4()),), roles=("reader",))
        assert finished(new, manifest).manifest == manifest

    def test_a_damaged_dump_is_named(self, whole: WholeBackup) -> None:
        whole.dump.write_bytes(b"ruin")
        with pytest.raises(PermanentError, match=r"backup_damaged: The file database\.dump"):
            whole.check()

    def test_a_damaged_object_and_a_lost_one_have_no_content(self, whole: WholeBackup) -> None:
        damaged, lost = whole.objects()
        self.place_of(whole, damaged.key).write_bytes(b"eno")
        self.place_of(whole, lost.key).unlink()
        assert [whole.content(each) for each in (damaged, lost)] == [None, None]

    def place_of(self, whole: WholeBackup, key: str) -> Path:
        """Where an object lies."""
        raise NotImplementedError


class RestorePlaceContract:
    """A suite gives the fixtures `place`, which is empty, `filled`, which is its deployment's, and a dump of that."""

    @pytest.fixture
    def place(self) -> RestorePlace:
        raise NotImplementedError

    @pytest.fixture
    def filled(self, deployment: Deployment) -> RestorePlace:
        raise NotImplementedError

    @pytest.fixture
    def dump(self) -> Callable[[], tuple[Path, Manifest]]:
        raise NotImplementedError

    def test_an_empty_place_takes_a_dump_and_goes_on_with_its_own_store(
        self, place: RestorePlace, deployment: Deployment, user: UserId, dump: Callable[[], tuple[Path, Manifest]]
    ) -> None:
        submit(deployment, user, policy_text())
        claim_one(deployment)
        file, manifest = dump()
        assert not place.is_begun(manifest)
        place.restore(file, manifest)
        assert place.is_begun(manifest)
        assert place.migrate() == []
        own = uuid4()
        assert place.finish(own, TEST) == 1
        assert place.store_id() == own != manifest.store_id
        with pytest.raises(PermanentError, match="place_not_empty"):
            place.is_begun(manifest)

    def test_an_empty_schema_makes_room(self, place: RestorePlace, dump: Callable[[], tuple[Path, Manifest]]) -> None:
        file, manifest = dump()
        place.migrate()
        assert place.store_id() not in (None, manifest.store_id)
        assert not place.is_begun(manifest)
        place.restore(file, manifest)
        assert place.store_id() == manifest.store_id

    def test_a_place_with_documents_is_refused_and_stays_as_it_is(
        self, filled: RestorePlace, deployment: Deployment, user: UserId, dump: Callable[[], tuple[Path, Manifest]]
    ) -> None:
        submit(deployment, user, policy_text())
        file, manifest = dump()
        for refused in (lambda: filled.is_begun(manifest), lambda: filled.restore(file, manifest)):
            with pytest.raises(PermanentError, match=r"place_not_empty: .* the database is not empty"):
                refused()
        assert deployment.documents.counts()["documents"] == 1

    def test_a_dump_that_breaks_off_leaves_nothing_and_may_be_followed_by_a_whole_one(
        self, place: RestorePlace, deployment: Deployment, user: UserId, dump: Callable[[], tuple[Path, Manifest]]
    ) -> None:
        for number in range(20):
            submit(deployment, user, policy_text(f"Subject {number}"), f"{number}.md")
        file, manifest = dump()
        whole = file.read_bytes()
        file.write_bytes(whole[:-200])
        with pytest.raises(PermanentError, match="restore_failed"):
            place.restore(file, manifest)
        assert place.store_id() is None
        file.write_bytes(whole)
        place.restore(file, manifest)
        assert place.is_begun(manifest)

    def test_a_backup_of_a_newer_server_and_one_with_unknown_roles_are_refused(
        self, place: RestorePlace, dump: Callable[[], tuple[Path, Manifest]]
    ) -> None:
        _, manifest = dump()
        with pytest.raises(PermanentError, match="server_older_than_backup"):
            place.is_begun(replace(manifest, server=99))
        with pytest.raises(PermanentError, match="roles_missing: The role nobodys_reader"):
            place.is_begun(replace(manifest, roles=("nobodys_reader",)))
        with pytest.raises(PermanentError, match="client_programs_missing"):
            place.is_begun(replace(manifest, tools=99))


def unreadable() -> bytes:
    raise AssertionError("it need not be read")


def changed(manifest: Path, **changes: Any) -> None:
    """Write a manifest anew, as another program might have written it."""
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | changes))
