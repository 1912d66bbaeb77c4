"""Objects are encrypted with their user's key, beside plain ones; whoever moves or changes them is noticed."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import NAMESPACE_URL, uuid4, uuid5

import psycopg
import pytest

from ingest_assets.adapters.master_key_file import MasterKeyFile
from ingest_assets.adapters.object_stores.encrypted import MARK, EncryptedObjects
from ingest_assets.adapters.object_stores.local_files import LocalFiles
from ingest_assets.adapters.object_stores.seals import UserSeals
from ingest_assets.adapters.postgres.documents.user_keys import PostgresUserKeys
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.documents.user_key import UserKey
from ingest_assets.domain.errors import OutageError, PermanentError
from ingest_assets.pipeline.ports.encrypting import KeyManagement, PlainObjects, UserKeys
from ingest_assets.pipeline.ports.object_store import ObjectStore
from ingest_assets.pipeline.stored_objects import arrived_content_key
from ingest_assets_tests.adapters import test_local_files
from ingest_assets_tests.contracts.encrypting_contract import (
    KeyManagementContract,
    PlainObjectsContract,
    UserKeysContract,
)
from ingest_assets_tests.documents import policy_text, submit
from ingest_assets_tests.waiting import until

TEXT = b"The insurer pays for dental care."


def key_file(folder: Path, *keys: bytes) -> Path:
    path = folder / "master key"
    path.write_text("\n".join(key.hex() for key in keys))
    return path


@pytest.fixture
def user_keys(deployment: Deployment) -> UserKeys:
    return deployment.user_keys


@pytest.fixture
def master_key(tmp_path: Path) -> Path:
    return key_file(tmp_path, os.urandom(32))


class TestMasterKeyFile(KeyManagementContract):
    @pytest.fixture
    def management(self, master_key: Path) -> KeyManagement:
        return MasterKeyFile(master_key)

    @pytest.fixture(params=[None, "", "not a key", "00" * 31, f"{'00' * 32}\n{'00' * 16}", "\udcff"])
    def without_key(self, request: pytest.FixtureRequest, tmp_path: Path) -> KeyManagement:
        path = tmp_path / "no key"
        if request.param is not None:
            path.write_text(request.param, errors="surrogateescape")
        return MasterKeyFile(path)

    @pytest.fixture
    def with_another_key(self, tmp_path: Path) -> KeyManagement:
        folder = tmp_path / "other"
        folder.mkdir()
        return MasterKeyFile(key_file(folder, os.urandom(32)))

    def test_a_new_key_wraps_and_a_former_one_still_unwraps(self, tmp_path: Path) -> None:
        former, new = os.urandom(32), os.urandom(32)
        management = MasterKeyFile(key_file(tmp_path, former))
        wrapped = management.wrap(TEXT, b"purpose")
        key_file(tmp_path, new, former)
        assert management.unwrap(wrapped, b"purpose") == TEXT
        again = management.wrap(TEXT, b"purpose")
        key_file(tmp_path, new)
        assert management.unwrap(again, b"purpose") == TEXT
        with pytest.raises(OutageError, match="master_key_wrong"):
            management.unwrap(wrapped, b"purpose")


class TestPostgresUserKeys(UserKeysContract):
    @pytest.fixture
    def user_keys(self, deployment: Deployment) -> UserKeys:
        return PostgresUserKeys(deployment.database)

    @pytest.fixture
    def let_a_day_pass(self, database_url: str) -> Callable[[], None]:
        def pass_by() -> None:
            with psycopg.connect(database_url) as connection:
                connection.execute("UPDATE upload_pipeline.user_keys SET used_at = used_at - interval '25 hours'")

        return pass_by

    @pytest.fixture
    def give_document(self, deployment: Deployment) -> Callable[[UserId], None]:
        def give(user_id: UserId) -> None:
            submit(deployment.replacing(objects=LocalFiles(deployment.settings.objects_folder)), user_id, policy_text())

        return give


class TestEncryptedObjects(test_local_files.TestLocalFiles):
    """As any other store, for the same names: here, the first folder in a name is a user."""

    overhead = len(MARK) + 1 + 16 + 12 + 16

    @pytest.fixture
    def made(self, user_keys: UserKeys, master_key: Path) -> Callable[[Path], ObjectStore]:
        seals = UserSeals(user_keys, MasterKeyFile(master_key))

        def user_of(key: str) -> UserId:
            return UserId(uuid5(NAMESPACE_URL, key.partition("/")[0]))

        return lambda folder: EncryptedObjects(LocalFiles(folder), user_keys, seals, user_of)


class TestPlainObjects(PlainObjectsContract):
    @pytest.fixture
    def plain_objects(self, objects: EncryptedObjects) -> PlainObjects:
        return objects

    @pytest.fixture
    def objects(self, plain: ObjectStore, user_keys: UserKeys, master_key: Path) -> EncryptedObjects:
        return EncryptedObjects(plain, user_keys, UserSeals(user_keys, MasterKeyFile(master_key)))

    @pytest.fixture
    def without_key(self, plain: ObjectStore, user_keys: UserKeys) -> ObjectStore:
        return EncryptedObjects(plain, user_keys, None)

    @pytest.fixture
    def plain(self, tmp_path: Path) -> ObjectStore:
        return LocalFiles(tmp_path / "objects")


def test_a_key_that_is_taken_up_while_it_is_being_destroyed_stays(
    deployment: Deployment, user: UserId, database_url: str
) -> None:
    keys = PostgresUserKeys(deployment.database)
    keys.keep(UserKey(user, uuid4(), b"wrapped"))
    age, take_up, waiting = (
        b"UPDATE upload_pipeline.user_keys SET used_at = now() - interval '25 hours'",
        b"UPDATE upload_pipeline.user_keys SET used_at = now()",
        b"SELECT FROM pg_locks JOIN pg_database AS held ON held.oid = pg_locks.database OR locktype = 'transactionid'"
        b" WHERE NOT granted AND datname = current_database()",
    )
    with (
        psycopg.connect(database_url, autocommit=True) as watcher,
        psycopg.connect(database_url) as storing,
        ThreadPoolExecutor(1) as destroyer,
    ):
        watcher.execute(age)
        storing.execute(take_up)
        destroyed = destroyer.submit(keys.destroy_unused, timedelta(hours=24))
        until(lambda: watcher.execute(waiting).fetchall(), 30)
        storing.commit()
        assert destroyed.result() == 0
    assert keys.find(user) is not None


@pytest.fixture
def plain(tmp_path: Path) -> ObjectStore:
    folder = tmp_path / "objects"
    folder.mkdir()
    return LocalFiles(folder)


@pytest.fixture
def objects(plain: ObjectStore, user_keys: UserKeys, master_key: Path) -> ObjectStore:
    return EncryptedObjects(plain, user_keys, UserSeals(user_keys, MasterKeyFile(master_key)))


@pytest.fixture
def without_key(plain: ObjectStore, user_keys: UserKeys) -> ObjectStore:
    return EncryptedObjects(plain, user_keys, None)


def name_for(user_id: UserId) -> str:
    return arrived_content_key(user_id, DocumentId(uuid4()), "0" * 64)


def test_what_is_stored_is_not_to_be_read_and_never_the_same_twice(
    objects: ObjectStore, plain: ObjectStore, user: UserId
) -> None:
    name = name_for(user)
    stored = []
    for _ in range(2):
        objects.put(name, TEXT)
        stored.append(plain.get(name))
        assert objects.get(name) == TEXT
    assert all(TEXT[:8] not in each for each in stored)
    assert len(set(stored)) == 2


def test_plain_objects_are_read_beside_encrypted_ones(
    objects: ObjectStore, without_key: ObjectStore, user: UserId
) -> None:
    name = name_for(user)
    without_key.put(name, TEXT)
    assert objects.get(name) == TEXT


@pytest.mark.parametrize("content", [MARK, MARK + b"\x00", MARK + b"\x01" + bytes(50), MARK + b"\x02"])
def test_a_file_that_looks_encrypted_is_stored_like_any_other(
    objects: ObjectStore, without_key: ObjectStore, user: UserId, content: bytes
) -> None:
    names = name_for(user), "doctor/probe"
    for store in (without_key, objects):
        for name in names:
            store.put(name, content)
            assert store.get(name) == content


def test_an_object_in_the_place_of_another_one_is_noticed(
    objects: ObjectStore, plain: ObjectStore, user: UserId
) -> None:
    here, there = name_for(user), name_for(user)
    for name in (here, there):
        objects.put(name, name.encode())
    plain.put(here, plain.get(there))
    assert objects.get(there) == there.encode()
    with pytest.raises(PermanentError, match="object_tampered"):
        objects.get(here)


def test_another_users_object_is_of_no_use(
    objects: ObjectStore, plain: ObjectStore, user: UserId, other_user: UserId
) -> None:
    mine, theirs = name_for(user), name_for(other_user)
    for name in (mine, theirs):
        objects.put(name, TEXT)
    plain.put(mine, plain.get(theirs))
    with pytest.raises(PermanentError):
        objects.get(mine)


def test_any_change_is_noticed(objects: ObjectStore, plain: ObjectStore, user: UserId) -> None:
    name = name_for(user)
    objects.put(name, TEXT)
    stored = plain.get(name)
    for place in range(len(MARK), len(stored)):
        plain.put(name, stored[:place] + bytes([stored[place] ^ 2]) + stored[place + 1 :])
        with pytest.raises(PermanentError):
            objects.get(name)
    for length in range(len(MARK), len(stored)):
        plain.put(name, stored[:length])
        with pytest.raises(PermanentError):
            objects.get(name)


def test_a_wrapped_key_in_the_place_of_another_users_is_of_no_use(
    objects: ObjectStore, user: UserId, other_user: UserId, database_url: str
) -> None:
    names = name_for(user), name_for(other_user)
    for name in names:
        objects.put(name, TEXT)
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "UPDATE upload_pipeline.user_keys AS key SET wrapped_key = other.wrapped_key"
            " FROM upload_pipeline.user_keys AS other WHERE key.user_id <> other.user_id"
        )
    for name in names:
        with pytest.raises(OutageError, match="master_key_wrong"):
            objects.get(name)


def test_without_the_right_master_key_everything_is_an_outage(
    objects: ObjectStore, without_key: ObjectStore, user: UserId, master_key: Path
) -> None:
    name = name_for(user)
    objects.put(name, TEXT)
    for act in (without_key.check, lambda: without_key.claim(uuid4()), lambda: without_key.get(name)):
        with pytest.raises(OutageError, match="master_key_missing"):
            act()
    right = master_key.read_text()
    for text, code in (("", "master_key_missing"), (os.urandom(32).hex(), "master_key_wrong")):
        master_key.write_text(text)
        for act in (
            objects.check,
            lambda: objects.claim(uuid4()),
            lambda: objects.get(name),
            lambda: objects.put(name, TEXT),
        ):
            with pytest.raises(OutageError, match=code):
                act()
    master_key.write_text(right)
    assert objects.get(name) == TEXT


def test_a_key_that_wraps_nothing_yet_is_checked_too(objects: ObjectStore, master_key: Path) -> None:
    objects.check()
    master_key.unlink()
    with pytest.raises(OutageError, match="master_key_missing"):
        objects.check()


def test_a_destroyed_key_takes_copies_of_the_store_with_it(
    objects: ObjectStore, plain: ObjectStore, user: UserId, database_url: str
) -> None:
    name = name_for(user)
    objects.put(name, TEXT)
    copy = plain.get(name)
    with psycopg.connect(database_url) as connection:
        connection.execute("DELETE FROM upload_pipeline.user_keys")
    for make_new_key in (False, True):
        if make_new_key:
            objects.put(name, TEXT)
        plain.put(name, copy)
        with pytest.raises(PermanentError, match="content_missing"):
            objects.get(name)
