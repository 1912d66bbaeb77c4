"""What whoever keeps the master key, and the place for the users' keys, must do."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.documents.user_key import UserKey
from ingest_assets.domain.errors import OutageError, PermanentError
from ingest_assets.pipeline.ports.encrypting import KeyManagement, PlainObjects, UserKeys
from ingest_assets.pipeline.ports.object_store import ObjectStore

KEY = bytes(range(32))


class KeyManagementContract:
    """A suite gives the fixtures: one with a key, and others without it or with another one."""

    @pytest.fixture
    def management(self) -> KeyManagement:
        raise NotImplementedError

    @pytest.fixture
    def without_key(self) -> KeyManagement:
        raise NotImplementedError

    @pytest.fixture
    def with_another_key(self) -> KeyManagement:
        raise NotImplementedError

    def test_a_wrapped_key_is_unwrapped(self, management: KeyManagement) -> None:
        wrapped = management.wrap(KEY, b"purpose")
        assert KEY not in wrapped
        assert management.unwrap(wrapped, b"purpose") == KEY

    def test_a_key_is_wrapped_anew_each_time(self, management: KeyManagement) -> None:
        assert management.wrap(KEY, b"purpose") != management.wrap(KEY, b"purpose")

    def test_a_wrapped_key_is_of_no_use_for_another_purpose_or_when_changed(self, management: KeyManagement) -> None:
        wrapped = management.wrap(KEY, b"purpose")
        for changed, purpose in [(wrapped, b"other"), (wrapped[:-1] + b"x", b"purpose"), (b"", b"purpose")]:
            with pytest.raises(OutageError, match="master_key_wrong"):
                management.unwrap(changed, purpose)

    def test_a_missing_or_another_master_key_is_an_outage(
        self, management: KeyManagement, without_key: KeyManagement, with_another_key: KeyManagement
    ) -> None:
        wrapped = management.wrap(KEY, b"purpose")
        with pytest.raises(OutageError, match="master_key_missing"):
            without_key.wrap(KEY, b"purpose")
        with pytest.raises(OutageError, match="master_key_missing"):
            without_key.unwrap(wrapped, b"purpose")
        with pytest.raises(OutageError, match="master_key_wrong"):
            with_another_key.unwrap(wrapped, b"purpose")


def made(user_id: UserId) -> UserKey:
    return UserKey(user_id, uuid4(), b"wrapped")


class UserKeysContract:
    """A suite gives the fixtures: the place, and how a user gets a document and a key becomes unused for a day."""

    @pytest.fixture
    def user_keys(self) -> UserKeys:
        raise NotImplementedError

    @pytest.fixture
    def let_a_day_pass(self) -> Callable[[], None]:
        raise NotImplementedError

    @pytest.fixture
    def give_document(self) -> Callable[[UserId], None]:
        raise NotImplementedError

    def test_a_user_has_one_key_however_many_are_first(self, user_keys: UserKeys, user: UserId) -> None:
        assert (user_keys.find(user), user_keys.use(user), user_keys.some()) == (None, None, None)
        keys = [made(user) for _ in range(8)]
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(user_keys.keep, keys))
        kept = user_keys.find(user)
        assert kept in keys
        assert user_keys.use(user) == user_keys.some() == kept

    def test_keys_of_users_are_their_own(self, user_keys: UserKeys, user: UserId, other_user: UserId) -> None:
        keys = {each: made(each) for each in (user, other_user)}
        for key in keys.values():
            user_keys.keep(key)
        assert {each: user_keys.find(each) for each in keys} == keys

    def test_all_keys_come_in_pages_and_may_be_wrapped_anew(self, user_keys: UserKeys) -> None:
        keys = sorted((made(UserId(uuid4())) for _ in range(3)), key=lambda key: key.user_id)
        for key in keys:
            user_keys.keep(key)
        assert list(user_keys.page(None, 2)) == keys[:2]
        assert list(user_keys.page(keys[1].user_id, 2)) == keys[2:]
        user_keys.replace(replace(keys[0], wrapped=b"anew"))
        user_keys.replace(replace(keys[1], key_id=uuid4(), wrapped=b"of another key"))
        assert [key.wrapped for key in user_keys.page(None, 3)] == [b"anew", b"wrapped", b"wrapped"]

    def test_a_key_goes_once_its_user_has_no_document_and_nothing_was_stored_for_long(
        self,
        user_keys: UserKeys,
        user: UserId,
        other_user: UserId,
        let_a_day_pass: Callable[[], None],
        give_document: Callable[[UserId], None],
    ) -> None:
        for each in (user, other_user):
            user_keys.keep(made(each))
        give_document(other_user)
        assert user_keys.destroy_unused(timedelta(hours=24)) == 0
        let_a_day_pass()
        assert user_keys.destroy_unused(timedelta(hours=24)) == 1
        assert user_keys.find(user) is None
        assert user_keys.use(user) is None
        assert user_keys.find(other_user) is not None

    def test_a_key_with_which_something_is_being_stored_stays(
        self, user_keys: UserKeys, user: UserId, let_a_day_pass: Callable[[], None]
    ) -> None:
        user_keys.keep(made(user))
        let_a_day_pass()
        assert user_keys.use(user) is not None
        assert user_keys.destroy_unused(timedelta(hours=24)) == 0
        let_a_day_pass()
        user_keys.find(user)
        assert user_keys.destroy_unused(timedelta(hours=24)) == 1


class PlainObjectsContract:
    """A suite gives the fixtures: the objects, a store that writes in plain, and one that shows what is stored."""

    @pytest.fixture
    def plain_objects(self) -> PlainObjects:
        raise NotImplementedError

    @pytest.fixture
    def without_key(self) -> ObjectStore:
        raise NotImplementedError

    @pytest.fixture
    def plain(self) -> ObjectStore:
        raise NotImplementedError

    @pytest.fixture
    def objects(self) -> ObjectStore:
        raise NotImplementedError

    def test_a_plain_object_is_encrypted_once(
        self,
        plain_objects: PlainObjects,
        objects: ObjectStore,
        without_key: ObjectStore,
        plain: ObjectStore,
        user: UserId,
    ) -> None:
        name, probe = f"{user}/{uuid4()}/content", "doctor/probe"
        for each in (name, probe):
            without_key.put(each, KEY)
        assert [plain_objects.encrypt(name) for _ in range(2)] == [True, False]
        assert not plain_objects.encrypt(probe)
        assert (KEY in plain.get(name), plain.get(probe)) == (False, KEY)
        assert objects.get(name) == KEY
        with pytest.raises(PermanentError, match="content_missing"):
            plain_objects.encrypt(f"{user}/{uuid4()}/content")
