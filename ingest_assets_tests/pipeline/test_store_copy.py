"""The objects of a deployment move from one store to another, while it works and whatever interrupts the copying."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from ingest_assets.adapters.object_stores.local_files import LocalFiles
from ingest_assets.composition import Deployment
from ingest_assets.composition.object_stores import make_store_copy
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.documents.sweeping import RecordedObjects
from ingest_assets.domain.errors import OutageError
from ingest_assets.pipeline.store_copy import Copied, StoreCopy
from ingest_assets_tests.documents import policy_text, submit

KEYS = ["a/1/x", "a/1/y", "b/2/x", "c/3/x"]


class Known:
    def __init__(self) -> None:
        self.id = uuid4()

    def store_id(self) -> UUID:
        return self.id


class NothingNamed:
    """The records of a database without rows."""

    def of_documents(self, document_ids: Sequence[DocumentId]) -> dict[DocumentId, RecordedObjects]:
        del document_ids
        return {}


class StoppingFiles(LocalFiles):
    """Takes some objects, and then fails."""

    left = 2

    def put(self, key: str, content: bytes) -> None:
        if not self.left:
            raise OutageError("storage_failed")
        self.left -= 1
        super().put(key, content)


NOTHING_NAMED: Any = NothingNamed()


@pytest.fixture
def source(tmp_path: Path) -> LocalFiles:
    store = LocalFiles(tmp_path / "source")
    for key in KEYS:
        store.put(key, key.encode())
    return store


@pytest.fixture
def target(tmp_path: Path) -> LocalFiles:
    return LocalFiles(tmp_path / "target")


@pytest.fixture
def copy(source: LocalFiles, target: LocalFiles) -> StoreCopy:
    return StoreCopy(source, target, Known(), NOTHING_NAMED)


def quiet(step: str, done: int, total: int) -> None:
    del step, done, total


def contents(store: LocalFiles) -> dict[str, bytes]:
    return {each.key: store.get(each.key) for each in store.listed()}


def test_everything_is_copied_and_bears_the_same_id(copy: StoreCopy, source: LocalFiles, target: LocalFiles) -> None:
    assert copy.make(quiet) == Copied(copied=4)
    assert contents(target) == contents(source)
    assert target.claim(uuid4()) == source.claim(uuid4()) == copy.database.store_id()


def test_what_was_interrupted_goes_on_and_what_changed_meanwhile_follows(
    copy: StoreCopy, source: LocalFiles, tmp_path: Path
) -> None:
    with pytest.raises(OutageError):
        StoreCopy(source, StoppingFiles(tmp_path / "target"), copy.database, NOTHING_NAMED).make(quiet)
    source.delete_below("a")
    source.put("d/4/x", b"new")
    assert copy.make(quiet) == Copied(copied=3, present=0, removed=2)
    assert contents(LocalFiles(tmp_path / "target")) == contents(source)
    assert copy.make(quiet) == Copied(present=3)


def test_a_damaged_copy_is_found_when_all_is_verified(copy: StoreCopy, target: LocalFiles) -> None:
    copy.make(quiet)
    target.put("b/2/x", b"*****")
    assert copy.make(quiet) == Copied(present=4)
    assert copy.make(quiet, verify=True) == Copied(copied=1, present=3)
    assert target.get("b/2/x") == b"b/2/x"


def test_what_was_repaired_in_the_source_is_copied_again(
    copy: StoreCopy, source: LocalFiles, target: LocalFiles
) -> None:
    source.put("b/2/x", b"*****")
    copy.make(quiet)
    source.put("b/2/x", b"b/2/x")
    assert copy.make(quiet) == Copied(copied=1, present=3)
    assert target.get("b/2/x") == b"b/2/x"


def test_what_rows_name_stays_even_if_only_the_target_has_it(
    deployment: Deployment, user: UserId, tmp_path: Path
) -> None:
    """Somebody copies once more from the former store, after the target has become the deployment's store."""
    copy = make_store_copy(deployment, (tmp_path / "new").as_uri())
    submit(deployment, user, policy_text("Former"))
    copy.make(quiet)
    moved = deployment.settings.model_copy(update={"storage_url": (tmp_path / "new").as_uri()})
    with closing(Deployment(moved)) as later:
        submit(later, user, policy_text("Later"), "later.md")
    assert copy.make(quiet) == Copied(present=1)
    assert len(list(LocalFiles(tmp_path / "new").listed())) == 2


@pytest.mark.parametrize("which", ["source", "target"])
def test_nothing_is_copied_from_or_into_another_deployments_store(
    copy: StoreCopy, request: pytest.FixtureRequest, which: str
) -> None:
    request.getfixturevalue(which).claim(uuid4())
    with pytest.raises(OutageError, match="store_mismatched"):
        copy.make(quiet)


def test_what_is_deleted_while_it_is_copied_is_left_out(
    copy: StoreCopy, source: LocalFiles, target: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    get: Callable[[str], bytes] = source.get

    def late(key: str) -> bytes:
        source.delete_below("c")
        return get(key)

    monkeypatch.setattr(source, "get", late)
    assert copy.make(quiet) == Copied(copied=3)
    assert sorted(contents(target)) == KEYS[:3]
