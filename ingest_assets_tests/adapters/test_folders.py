"""What is found below the paths that a person names."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest_assets.adapters.folders import Folders
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.files.file_states import NoFile, SeenFile, SkippedFile
from ingest_assets.pipeline.ports.intake import FileSystem
from ingest_assets_tests.contracts.intake_contract import FilesContract, FileSystemContract

FILES = Folders(max_bytes=100)


class TestFolders(FileSystemContract, FilesContract):
    @pytest.fixture
    def files(self) -> FileSystem:
        return FILES

    @pytest.fixture
    def appear(self, tmp_path: Path) -> Callable[[str, bytes], str]:
        def write(name: str, content: bytes) -> str:
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            return str(path)

        return write

    @pytest.fixture
    def vanish(self) -> Callable[[str], None]:
        return lambda path: Path(path).unlink()


def found(*paths: Path) -> list[str]:
    """Files by their paths, everything else by what is wrong with it or why it is skipped."""
    return [told(each) for each in FILES.find(paths)]


def told(each: SeenFile | NoFile | SkippedFile) -> str:
    if isinstance(each, SkippedFile):
        return each.reason.value
    return each.problem.code if isinstance(each, NoFile) else each.path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.md", "a/z.md", "a/y.md", ".hidden.md", ".git/c.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def test_files_are_found_in_the_order_of_their_names_hidden_ones_only_where_named(folder: Path) -> None:
    assert found(folder) == [str(folder / name) for name in ("a/y.md", "a/z.md", "b.md")]
    assert found(folder / ".hidden.md", folder / ".git") == [str(folder / ".hidden.md"), str(folder / ".git/c.md")]


def test_a_file_that_is_named_twice_is_found_once(folder: Path) -> None:
    assert found(folder / "a/y.md", folder / "a", folder / "a/z.md") == [str(folder / "a/y.md"), str(folder / "a/z.md")]


def test_a_file_shows_its_state_and_when_that_was_taken(folder: Path) -> None:
    [file] = FILES.find([folder / "b.md"])
    assert isinstance(file, SeenFile)
    status = (folder / "b.md").stat()
    assert (file.state.size, file.state.modified_ns, file.state.inode) == (4, status.st_mtime_ns, status.st_ino)
    assert file.seen_ns >= status.st_ctime_ns
    os.utime(folder / "b.md", ns=(status.st_atime_ns, status.st_mtime_ns - 1))
    [touched] = FILES.find([folder / "b.md"])
    assert isinstance(touched, SeenFile)
    assert touched.state != file.state


def test_links_are_followed_and_lead_to_a_file_or_say_that_there_is_none(folder: Path) -> None:
    (folder / "a/link.md").symlink_to(folder / "b.md")
    (folder / "a/nowhere.md").symlink_to(folder / "nowhere")
    (folder / "a/self.md").symlink_to(folder / "a/self.md")
    files = [str(folder / name) for name in ("a/link.md", "a/y.md", "a/z.md", "b.md")]
    assert found(folder) == [files[0], "path_missing", "path_missing", *files[1:]]
    link, target = FILES.find([folder / "a/link.md", folder / "b.md"])
    assert isinstance(link, SeenFile)
    assert isinstance(target, SeenFile)
    assert link.state == target.state


def test_a_link_that_leads_elsewhere_shows_another_state(folder: Path) -> None:
    (folder / "link.md").symlink_to(folder / "a/y.md")
    [before] = FILES.find([folder / "link.md"])
    (folder / "link.md").unlink()
    (folder / "link.md").symlink_to(folder / "a/z.md")
    [after] = FILES.find([folder / "link.md"])
    assert isinstance(before, SeenFile)
    assert isinstance(after, SeenFile)
    assert before.state != after.state


def test_a_folder_that_links_back_to_itself_is_left_after_its_files(folder: Path) -> None:
    (folder / "a/back").symlink_to(folder)
    assert found(folder) == ["folder_loop", str(folder / "a/y.md"), str(folder / "a/z.md"), str(folder / "b.md")]


def test_what_is_no_file_and_no_folder_is_none(folder: Path) -> None:
    os.mkfifo(folder / "pipe.md")
    assert found(folder / "pipe.md", folder / "nowhere", folder / "b.md/below") == ["path_missing"] * 3


def test_a_name_that_is_no_text_is_a_problem_of_its_own(folder: Path) -> None:
    (folder / os.fsdecode(b"a/\xff.md")).write_text("text")
    problems = [each for each in FILES.find([folder]) if isinstance(each, NoFile)]
    assert [each.problem.code for each in problems] == ["path_unusable"]
    assert problems[0].path.endswith(r"a/\xff.md")
    problems[0].path.encode()


def test_a_path_that_no_index_can_hold_is_a_problem_of_its_own(folder: Path) -> None:
    deep = folder
    for _ in range(10):
        deep = deep / ("x" * 200)
    deep.mkdir(parents=True)
    (deep / "a.md").write_text("text")
    assert "path_unusable" in found(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable for root: no such folder was tried")
def test_a_folder_that_cannot_be_read_is_a_problem_and_its_files_are_not_gone(folder: Path) -> None:
    (folder / "a").chmod(0)
    try:
        assert found(folder) == ["unreadable_file", str(folder / "b.md")]
        assert not FILES.is_gone(str(folder / "a/y.md"))
    finally:
        (folder / "a").chmod(0o700)


def test_a_file_is_read_to_just_above_the_limit(folder: Path) -> None:
    assert FILES.read(str(folder / "a/y.md")) == b"a/y.md"
    assert Folders(3).read(str(folder / "a/y.md")) == b"a/y."
    with pytest.raises(PermanentError, match="path_missing"):
        FILES.read(str(folder / "nowhere.md"))


def test_a_link_to_itself_hides_no_file_after_it(folder: Path) -> None:
    (folder / "a/aa").symlink_to(folder / "a/aa")
    assert found(folder) == ["path_missing", *(str(folder / name) for name in ("a/y.md", "a/z.md", "b.md"))]
