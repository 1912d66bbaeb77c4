"""What intake must be able to rely on: records of documents and their files, and a file system."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Acceptance, AcceptanceStatus, Arrival, UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.files.file_states import FileState, KnownFile, NoFile, SeenFile, SkippedFile
from ingest_assets.pipeline.ports.intake import Files, FileSystem, IntakeRecords, ObjectFiles
from ingest_assets_tests.documents import TEST

LONG_AGO = 1_700_000_000_000_000_000


def arrival(user: UserId, path: str, content: str) -> Arrival:
    return Arrival(user, path, Path(path).name, "text/markdown", len(content), sha256(content.encode()).hexdigest())


def take_in(records: IntakeRecords, *arrivals: Arrival) -> list[Acceptance]:
    accepted = records.accept(arrivals, records.locate(arrivals), TEST)
    assert accepted is not None
    return accepted


def remember(records: IntakeRecords, user: UserId, path: str, device: int) -> KnownFile:
    """Keep a sighting of a file that is known already, as it was long ago on this file system."""
    known = records.known_files(user, [path])[path]
    state = FileState(1, LONG_AGO, LONG_AGO, inode=7, device=device)
    seen = SeenFile(path, state, LONG_AGO + 10**10).sighting(known.content_sha)
    remembered = KnownFile(known.acceptance, known.content_sha, seen)
    records.remember_files(user, {path: remembered})
    return remembered


class IntakeRecordsContract:
    """A suite gives the fixture `records`: those of its deployment."""

    @pytest.fixture
    def records(self, deployment: Deployment) -> IntakeRecords:
        raise NotImplementedError

    def test_arrivals_are_located_in_their_order_and_nothing_is_done_yet(
        self, records: IntakeRecords, deployment: Deployment, user: UserId
    ) -> None:
        [old] = take_in(records, arrival(user, "/a/old.md", "old"))
        found = records.locate(
            [
                arrival(user, "/a/new.md", "new"),
                arrival(user, "/a/old.md", "old"),
                arrival(user, "/a/copy.md", "old"),
                arrival(user, "/a/other.md", "other"),
            ]
        )
        assert [each.status for each in found] == ["queued", "unchanged", "unchanged", "queued"]
        assert found[1].document_id == found[2].document_id == old.document_id
        assert len({found[0].document_id, found[3].document_id, old.document_id}) == 3
        assert deployment.documents.counts()["documents"] == 1

    def test_other_content_from_a_source_is_a_new_version_of_its_document(
        self, records: IntakeRecords, deployment: Deployment, user: UserId
    ) -> None:
        [first] = take_in(records, arrival(user, "/a/a.md", "one"))
        [second] = take_in(records, arrival(user, "/a/a.md", "two"))
        assert (second.status, second.document_id) == (AcceptanceStatus.NEW_VERSION, first.document_id)
        found = deployment.documents.find(first.document_id)
        assert found is not None
        assert found.version == 2

    def test_documents_are_accepted_where_they_were_located_and_queued_in_their_order(
        self, records: IntakeRecords, deployment: Deployment, user: UserId
    ) -> None:
        arrivals = [arrival(user, f"/a/{number}.md", str(number)) for number in range(5)]
        located = records.locate(arrivals)
        accepted = records.accept(arrivals, located, TEST)
        assert accepted is not None
        assert [each.document_id for each in accepted] == [each.document_id for each in located]
        jobs = deployment.claims.claim("worker", 9, deployment.lease)
        assert [(job.job_id, job.document.document_id) for job in jobs] == [
            (each.job_id, each.document_id) for each in accepted
        ]
        assert deployment.documents.history(accepted[0].document_id)[0].actor == TEST.name

    def test_nothing_is_done_if_one_no_longer_belongs_where_it_was_located(
        self, records: IntakeRecords, deployment: Deployment, user: UserId
    ) -> None:
        [first] = take_in(records, arrival(user, "/a/a.md", "same"))
        arrivals = [arrival(user, "/a/new.md", "new"), arrival(user, "/a/copy.md", "same")]
        located = records.locate(arrivals)
        deployment.deletions.delete(first.document_id, TEST)
        assert records.accept(arrivals, located, TEST) is None
        assert deployment.documents.counts()["documents"] == 0

    def test_metadata_is_changed_of_ones_own_documents(
        self, records: IntakeRecords, deployment: Deployment, user: UserId, other_user: UserId
    ) -> None:
        arrivals = [arrival(user, f"/a/{name}.md", name) for name in ("parent", "child")]
        parent, child = (each.document_id for each in take_in(records, *arrivals))
        records.describe(user, {parent: {"a": "1", "b": "2"}, child: {"b": "3"}})
        records.describe(other_user, {parent: {"a": "foreign"}})
        records.describe(user, {parent: {"a": None, "c": "4"}})
        assert deployment.documents.metadata(parent) == {"b": "2", "c": "4"}
        assert deployment.documents.metadata(child) == {"b": "3"}
        with pytest.raises(PermanentError, match="invalid_metadata"):
            records.describe(user, {parent: {"much": "x" * 100_000}})

    def test_files_that_came_in_before_are_known_with_what_they_had_become(
        self, records: IntakeRecords, user: UserId, other_user: UserId
    ) -> None:
        [accepted] = take_in(records, arrival(user, "/a/a.md", "one"))
        known = records.known_files(user, ["/a/a.md", "/a/b.md"])
        assert known.keys() == {"/a/a.md"}
        acceptance = known["/a/a.md"].acceptance
        assert (acceptance.document_id, acceptance.status) == (accepted.document_id, AcceptanceStatus.UNCHANGED)
        assert known["/a/a.md"].sighting is None
        assert records.known_files(other_user, ["/a/a.md"]) == {}

    def test_a_sighting_is_kept_and_one_of_an_unknown_file_is_not(self, records: IntakeRecords, user: UserId) -> None:
        take_in(records, arrival(user, "/a/a.md", "one"))
        remembered = remember(records, user, "/a/a.md", device=3)
        assert records.known_files(user, ["/a/a.md"]) == {"/a/a.md": remembered}
        records.remember_files(user, {"/a/unknown.md": remembered})
        assert records.known_files(user, ["/a/unknown.md"]) == {}

    def test_while_a_user_is_paused_nothing_of_theirs_comes_in(
        self, records: IntakeRecords, deployment: Deployment, user: UserId, other_user: UserId
    ) -> None:
        with ThreadPoolExecutor(1) as beside:
            with records.paused(user):
                waiting = beside.submit(take_in, records, arrival(user, "/a/a.md", "one"))
                take_in(records, arrival(other_user, "/a/a.md", "one"))
                with pytest.raises(TimeoutError):
                    waiting.result(timeout=0.3)
                assert deployment.documents.counts()["documents"] == 1
            assert waiting.result()[0].status is AcceptanceStatus.QUEUED

    @pytest.mark.parametrize("folder", ["/a", "/a/"])
    def test_files_below_a_folder_are_told_with_their_file_systems(
        self, records: IntakeRecords, user: UserId, other_user: UserId, folder: str
    ) -> None:
        for path in ("/a/a.md", "/a/deep/b.md", "/a and more/c.md", "/a/unseen.md"):
            take_in(records, arrival(user, path, path))
        take_in(records, arrival(other_user, "/a/d.md", "theirs"))
        for path, device in [("/a/a.md", 3), ("/a/deep/b.md", 4), ("/a and more/c.md", 3)]:
            remember(records, user, path, device)
        assert records.files_below(user, folder) == {"/a/a.md": 3, "/a/deep/b.md": 4}

    def test_a_source_that_is_removed_is_forgotten_and_its_document_stays(
        self, records: IntakeRecords, deployment: Deployment, user: UserId
    ) -> None:
        [accepted] = take_in(records, arrival(user, "/a/a.md", "same"))
        take_in(records, arrival(user, "/a/b.md", "same"))
        records.remove_source(user, "/a/a.md")
        assert deployment.documents.sources(accepted.document_id) == ["/a/b.md"]
        assert records.known_files(user, ["/a/a.md"]) == {}


class FilesContract:
    """A suite gives the fixture `files`, which reads files of up to a hundred bytes, and lets files appear and go."""

    @pytest.fixture
    def files(self) -> Files:
        raise NotImplementedError

    @pytest.fixture
    def appear(self) -> Callable[[str, bytes], str]:
        """What makes a file of this name and content, and returns its path."""
        raise NotImplementedError

    @pytest.fixture
    def vanish(self) -> Callable[[str], None]:
        """What removes the file at a path."""
        raise NotImplementedError

    def test_a_file_is_read_or_at_least_more_of_it_than_is_allowed(
        self, files: Files, appear: Callable[[str, bytes], str]
    ) -> None:
        assert files.read(appear("a b/ü+1.md", b"content")) == b"content"
        assert 100 < len(files.read(appear("large.md", b"x" * 1000))) <= 1000

    def test_a_file_is_gone_once_it_has_been_removed(
        self, files: Files, appear: Callable[[str, bytes], str], vanish: Callable[[str], None]
    ) -> None:
        path = appear("a.md", b"content")
        assert not files.is_gone(path)
        vanish(path)
        assert files.is_gone(path)
        with pytest.raises(PermanentError, match="path_missing"):
            files.read(path)


class ObjectFilesContract:
    """A suite gives the fixture `some_files`, to which nobody wants anything but Markdown, and no drafts."""

    @pytest.fixture
    def some_files(self) -> ObjectFiles:
        raise NotImplementedError

    def test_what_nobody_wants_is_ignored(self, some_files: ObjectFiles) -> None:
        ignored = {
            key: some_files.ignores(f"s3://bucket/{key}") for key in ("a.md", "b/c.md", "b/c.pdf", "drafts/d.md")
        }
        assert ignored == {"a.md": False, "b/c.md": False, "b/c.pdf": True, "drafts/d.md": True}


class FileSystemContract:
    """A suite gives the fixture `files`, which reads files of up to a hundred bytes."""

    @pytest.fixture
    def files(self) -> FileSystem:
        raise NotImplementedError

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for name in ("b.md", "a/z.md", "a/y.md", ".hidden.md", ".git/c.md"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(name)
        return tmp_path

    def test_files_at_paths_and_below_them_are_found_in_a_stable_order(self, files: FileSystem, folder: Path) -> None:
        found = [each.path for each in files.find([folder / "b.md", folder / "a"])]
        assert found == [str(folder / name) for name in ("b.md", "a/y.md", "a/z.md")]
        assert [each.path for each in files.find([folder / "b.md", folder / "a"])] == found

    def test_a_walk_limited_to_some_paths_finds_what_is_at_them_and_below_them(
        self, files: FileSystem, folder: Path
    ) -> None:
        (folder / "a/deep").mkdir()
        (folder / "a/deep/x.md").write_text("x")
        for only, found in (
            (["a/y.md"], ["a/y.md"]),
            (["a"], ["a/deep/x.md", "a/y.md", "a/z.md"]),
            (["a/deep/x.md", "b.md", "gone.md"], ["a/deep/x.md", "b.md"]),
            (["b.md.metadata.json"], ["b.md"]),
            (["a/.ingestignore"], ["a/deep/x.md", "a/y.md", "a/z.md"]),
            ([".git/c.md", ".hidden.md"], []),
            (["../elsewhere.md"], []),
            ([], []),
        ):
            told = files.find([folder], only=[os.path.normpath(folder / path) for path in only])
            assert [each.path for each in told] == [str(folder / path) for path in found]

    def test_a_limited_walk_skips_what_a_whole_one_skips(self, files: FileSystem, folder: Path) -> None:
        (folder / ".ingestignore").write_text("a/*\n!a/z.md\n")
        only = [str(folder / path) for path in ("a/y.md", "a/z.md", "b.md")]
        found = files.find([folder], only=only, exclude=["b.md"])
        assert [type(each) for each in found] == [SkippedFile, SeenFile, SkippedFile]

    def test_a_path_without_a_file_is_found_with_what_is_wrong(self, files: FileSystem, folder: Path) -> None:
        [missing] = files.find([folder / "nowhere"])
        assert isinstance(missing, NoFile)
        assert missing.problem.code == "path_missing"

    def test_a_file_shows_its_state(self, files: FileSystem, folder: Path) -> None:
        [seen] = files.find([folder / "b.md"])
        assert isinstance(seen, SeenFile)
        assert seen.state.size == 4
        (folder / "b.md").write_text("longer")
        [changed] = files.find([folder / "b.md"])
        assert isinstance(changed, SeenFile)
        assert changed.state != seen.state

    def test_a_file_is_read_at_least_its_beginning(self, files: FileSystem, folder: Path) -> None:
        assert files.read(str(folder / "a/y.md")) == b"a/y.md"
        (folder / "large.md").write_bytes(b"x" * 1000)
        assert len(files.read(str(folder / "large.md"))) > 100

    def test_a_file_that_is_not_there_cannot_be_read(self, files: FileSystem, folder: Path) -> None:
        with pytest.raises(PermanentError, match="path_missing"):
            files.read(str(folder / "nowhere.md"))

    def test_a_file_is_gone_where_there_is_nothing_or_something_else(self, files: FileSystem, folder: Path) -> None:
        assert not files.is_gone(str(folder / "b.md"))
        assert not files.is_gone(str(folder / ".hidden.md"))
        for name in ("nowhere.md", "b.md/below.md", "a"):
            assert files.is_gone(str(folder / name))

    def test_a_lost_file_would_lie_where_the_nearest_folder_lies(self, files: FileSystem, folder: Path) -> None:
        device = folder.stat().st_dev
        for name in ("b.md", "nowhere.md", "lost/deep/nowhere.md"):
            assert files.device_at(str(folder / name)) == device
        assert files.device_at("/proc/self/nowhere") != device
