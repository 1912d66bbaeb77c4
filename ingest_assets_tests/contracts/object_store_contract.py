"""What every object store must do."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from ingest_assets.domain.errors import PermanentError, ResourceError, TransientError
from ingest_assets.pipeline.ports.object_store import ObjectStore


class ObjectStoreContract:
    """A suite gives the fixtures: a store, how it becomes full and how it breaks, and what a crash leaves in it."""

    @pytest.fixture
    def objects(self) -> ObjectStore:
        raise NotImplementedError

    @pytest.fixture
    def full(self) -> ObjectStore:
        """Return the same store, in which there is no room any more."""
        raise NotImplementedError

    @pytest.fixture
    def broken(self) -> ObjectStore:
        """Return a store that cannot be read or written."""
        raise NotImplementedError

    @pytest.fixture
    def crash_while_storing(self) -> Callable[[str], None]:
        """Return what leaves this key half-written in the store."""
        raise NotImplementedError

    @pytest.mark.parametrize("content", [b"", b"bytes", bytes(range(256)) * 5000])
    def test_what_is_stored_is_given_back(self, objects: ObjectStore, content: bytes) -> None:
        objects.put("user/document/content", content)
        assert objects.get("user/document/content") == content

    def test_the_last_content_of_a_key_counts(self, objects: ObjectStore) -> None:
        objects.put("user/document/content", b"longer than the next")
        objects.put("user/document/content", b"next")
        assert objects.get("user/document/content") == b"next"
        assert objects.count_below("user/document") == 1

    def test_a_key_without_content_is_missing(self, objects: ObjectStore) -> None:
        objects.put("user/document/content", b"bytes")
        for key in ("user/document/other", "user/other/content"):
            with pytest.raises(PermanentError, match="content_missing"):
                objects.get(key)

    def test_whoever_reads_while_others_write_gets_a_whole_content(self, objects: ObjectStore) -> None:
        contents = [bytes([letter]) * 200_000 for letter in b"ab"]
        objects.put("user/document/content", contents[0])
        with ThreadPoolExecutor(2) as writers:
            written = [
                writers.submit(objects.put, "user/document/content", contents[number % 2]) for number in range(20)
            ]
            while not all(each.done() for each in written):
                assert objects.get("user/document/content") in contents
        assert all(each.exception() is None for each in written)

    def test_a_folder_goes_with_everything_in_it_and_nothing_beside_it(self, objects: ObjectStore) -> None:
        for key in ("user/document/a", "user/document/b.md", "user/document 2/a", "user/other/a"):
            objects.put(key, b"bytes")
        assert objects.count_below("user/document") == 2
        assert objects.delete_below("user/document") == 2
        assert (objects.count_below("user/document"), objects.delete_below("user/document")) == (0, 0)
        with pytest.raises(PermanentError, match="content_missing"):
            objects.get("user/document/a")
        assert (objects.count_below("user/document 2"), objects.count_below("user")) == (1, 2)

    def test_what_a_crash_left_half_written_is_counted_and_removed(
        self, objects: ObjectStore, crash_while_storing: Callable[[str], None]
    ) -> None:
        crash_while_storing("user/document/content")
        assert objects.count_below("user/document") == 1
        with pytest.raises(PermanentError, match="content_missing"):
            objects.get("user/document/content")
        assert objects.delete_below("user/document") == 1
        assert objects.count_below("user/document") == 0

    def test_a_full_store_says_so_and_keeps_nothing_half_written(self, objects: ObjectStore, full: ObjectStore) -> None:
        with pytest.raises(ResourceError, match="storage_full"):
            full.put("user/document/content", b"x" * 100)
        assert objects.count_below("user/document") == 0

    def test_a_store_that_does_not_work_says_so(self, broken: ObjectStore) -> None:
        with pytest.raises(TransientError, match="storage_failed"):
            broken.put("user/document/content", b"bytes")
        with pytest.raises(TransientError, match="storage_failed"):
            broken.get("user/document/content")
