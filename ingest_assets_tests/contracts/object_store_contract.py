"""What every object store must do."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from ingest_assets.domain.documents.download import Download
from ingest_assets.domain.errors import OutageError, PermanentError, ResourceError
from ingest_assets.pipeline.ports.object_store import ObjectStore


class ObjectStoreContract:
    """A suite gives the fixtures: a store, how it becomes full and how it breaks, and what a crash leaves in it."""

    overhead = 0
    """How many bytes an object takes beside its content."""
    has_addresses = False
    """Whether others may read a content, if they know its address."""
    halves = 1
    """How many objects a crash leaves that interrupts the storing of one."""

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

    @pytest.mark.parametrize(("content", "beginning"), [(b"", b""), (b"by", b"by"), (b"bytes", b"byt")])
    def test_what_is_stored_begins_so(self, objects: ObjectStore, content: bytes, beginning: bytes) -> None:
        objects.put("user/document/content", content)
        assert objects.beginning("user/document/content", 3) == beginning
        with pytest.raises(PermanentError, match="content_missing"):
            objects.beginning("user/document/other", 3)

    def test_an_address_leads_to_the_content_which_is_to_be_saved(self, objects: ObjectStore) -> None:
        objects.put("user/document/content", b"<b>bytes</b>")
        address = objects.address("user/document/content", Download('a "b" ü.md', "text/markdown", 60))
        if address is None:
            assert not self.has_addresses
            return
        answered = httpx.get(address, trust_env=False)
        assert (answered.status_code, answered.content) == (200, b"<b>bytes</b>")
        assert answered.headers["content-type"].partition(";")[0] == "text/markdown"
        said = answered.headers["content-disposition"]
        assert said == "attachment; filename=\"a _b_ _.md\"; filename*=UTF-8''a%20%22b%22%20%C3%BC.md"

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
        assert objects.count_below("user/document") == self.halves
        with pytest.raises(PermanentError, match="content_missing"):
            objects.get("user/document/content")
        assert objects.delete_below("user/document") == self.halves
        assert objects.count_below("user/document") == 0

    def test_a_full_store_says_so_and_keeps_nothing_half_written(self, objects: ObjectStore, full: ObjectStore) -> None:
        with pytest.raises(ResourceError, match="storage_full"):
            full.put("user/document/content", b"x" * 100)
        assert objects.count_below("user/document") == 0

    def test_a_store_that_works_passes_its_check(self, objects: ObjectStore) -> None:
        objects.check()

    def test_a_store_that_does_not_work_says_so(self, broken: ObjectStore) -> None:
        with pytest.raises(OutageError, match="storage_failed"):
            broken.check()
        with pytest.raises(OutageError, match="storage_failed"):
            broken.put("user/document/content", b"bytes")
        with pytest.raises(OutageError, match="storage_failed"):
            broken.get("user/document/content")
        with pytest.raises(OutageError, match="storage_failed"):
            broken.holds("user/document/content")
        with pytest.raises(OutageError, match="storage_failed"):
            list(broken.listed())
        with pytest.raises(OutageError, match="storage_failed"):
            broken.claim(uuid4())

    def test_a_store_keeps_the_first_id_that_it_was_given(self, objects: ObjectStore) -> None:
        with ThreadPoolExecutor(4) as threads:
            [store_id] = set(threads.map(objects.claim, (uuid4() for _ in range(20))))
        assert objects.claim(uuid4()) == store_id

    def test_what_holds_the_id_is_no_object(self, objects: ObjectStore) -> None:
        store_id = objects.claim(uuid4())
        assert list(objects.listed()) == []
        objects.put("user/document/content", b"bytes")
        objects.delete_below("user/document")
        assert objects.claim(uuid4()) == store_id

    def test_everything_is_listed_in_the_order_of_keys(
        self, objects: ObjectStore, crash_while_storing: Callable[[str], None]
    ) -> None:
        keys = ["b/d/2", "a/d/x", "a/d/x.md", "a/d.md", "a d/c", "b/d/1", "a/d-2/x"]
        for key in keys:
            objects.put(key, key.encode())
        crash_while_storing("b/e/content")
        found = list(objects.listed())
        listed, halves = found[: len(keys)], found[len(keys) :]
        assert [each.key for each in listed] == sorted(keys)
        assert [each.byte_size - self.overhead for each in listed] == [len(key) for key in sorted(keys)]
        assert all(each.whole for each in listed)
        assert [(each.key.startswith("b/e/"), each.whole) for each in halves] == [(True, False)] * self.halves
        assert [each.key for each in objects.listed("a/d")] == ["a/d/x", "a/d/x.md"]
        assert list(objects.listed("nowhere")) == []

    def test_an_object_is_held_from_its_storing_to_its_removal(self, objects: ObjectStore) -> None:
        assert not objects.holds("user/document/content")
        objects.put("user/document/content", b"bytes")
        assert (objects.holds("user/document/content"), objects.holds("user/document")) == (True, False)
        [found] = objects.listed()
        assert objects.remove(found)
        assert (objects.holds("user/document/content"), objects.remove(found)) == (False, False)

    def test_removing_an_object_leaves_all_others(self, objects: ObjectStore) -> None:
        keys = ("user/document/a", "user/document/b", "user/other/a")
        for key in keys:
            objects.put(key, b"bytes")
        for found in list(objects.listed("user/document")):
            assert objects.remove(found)
        assert [each.key for each in objects.listed()] == ["user/other/a"]

    def test_an_object_that_was_written_again_since_it_was_listed_is_not_removed(self, objects: ObjectStore) -> None:
        objects.put("user/document/content", b"bytes")
        [found] = objects.listed()
        objects.put("user/document/content", b"bytes")
        while next(objects.listed()).written_at == found.written_at:  # coarse clocks tick some milliseconds later
            objects.put("user/document/content", b"bytes")
        assert not objects.remove(found)
        assert objects.get("user/document/content") == b"bytes"

    def test_what_is_half_written_is_removed_like_anything_else(
        self, objects: ObjectStore, crash_while_storing: Callable[[str], None]
    ) -> None:
        crash_while_storing("user/document/content")
        found = list(objects.listed())
        assert [objects.remove(each) for each in found] == [True] * self.halves
        assert list(objects.listed()) == []

    def test_storing_succeeds_while_the_last_other_object_of_its_folder_is_removed(self, objects: ObjectStore) -> None:
        def come_and_go(number: int) -> None:
            for _ in range(50):
                objects.put(f"user/document/{number}", b"bytes")
                for found in objects.listed("user/document"):
                    if found.key.endswith(f"/{number}"):
                        objects.remove(found)

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(come_and_go, range(4)))
        assert list(objects.listed()) == []
