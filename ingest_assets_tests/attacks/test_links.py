"""Somebody who may write into a submitted folder puts a link there that leads to what the submitter may read."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest_assets.adapters.folders import Folders
from ingest_assets.cli.failed_files import files_of_failures
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.files.file_states import NoFile, SeenFile
from ingest_assets.pipeline.file_intake import FileIntake
from ingest_assets_tests.documents import TEST, drain_all, submit

FILES = Folders(max_bytes=10_000)
REFUSED = "link_leaves_folder"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    (tmp_path / "private").mkdir()
    file = tmp_path / "private/secret.md"
    file.write_text("a secret")
    return file


@pytest.fixture
def submitted(tmp_path: Path, secret: Path) -> Path:
    """A folder whose name begins as the one beside it, with honest files and links."""
    folder = tmp_path / "priv"
    (folder / "a").mkdir(parents=True)
    (folder / "honest.md").write_text("honest")
    (folder / "a/inside.md").symlink_to(folder / "honest.md")
    (folder / "file.md").symlink_to(secret)
    (folder / "folder").symlink_to(secret.parent)
    (folder / "relative.md").symlink_to("../private/secret.md")
    (folder / "chain").symlink_to(folder / "folder")
    (folder / "pipe.md").symlink_to("/proc/self/fd/0")
    return folder


def found(*paths: Path, follow_links: bool = False) -> dict[str, str]:
    files = FILES.find(paths, follow_links=follow_links)
    return {Path(each.path).name: each.problem.code if isinstance(each, NoFile) else "file" for each in files}


def test_links_out_of_the_folder_are_refused_by_name_and_those_within_are_followed(submitted: Path) -> None:
    assert found(submitted) == {
        "inside.md": "file",
        "honest.md": "file",
        **dict.fromkeys(("file.md", "folder", "relative.md", "chain", "pipe.md"), REFUSED),
    }


def test_a_folder_that_is_itself_reached_by_a_link_is_meant(submitted: Path, tmp_path: Path) -> None:
    (tmp_path / "shortcut").symlink_to(submitted)
    assert found(tmp_path / "shortcut")["honest.md"] == "file"


def test_whoever_asks_for_it_or_names_the_link_gets_its_target(submitted: Path) -> None:
    assert found(submitted, follow_links=True)["secret.md"] == "file"
    assert found(submitted / "file.md") == {"file.md": "file"}


@pytest.mark.parametrize("swap", ["the file", "its folder"])
def test_a_link_that_takes_the_place_of_a_file_after_it_was_found_is_not_read(
    deployment: Deployment, user: UserId, submitted: Path, secret: Path, swap: str
) -> None:
    file = submitted / "a/secret.md"
    file.write_text("honest")
    seen = [each for each in FILES.find([submitted]) if isinstance(each, SeenFile) and each.path == str(file)]
    file.unlink()
    if swap == "the file":
        file.symlink_to(secret)
    else:
        (submitted / "a/inside.md").unlink()
        (submitted / "a").rmdir()
        (submitted / "a").symlink_to(secret.parent)
    assert codes(FileIntake(deployment.intake, FILES, user), seen) == [REFUSED]


def test_a_pipe_that_takes_the_place_of_a_file_holds_nobody_up(
    deployment: Deployment, user: UserId, submitted: Path
) -> None:
    [file] = [each for each in FILES.find([submitted / "honest.md"]) if isinstance(each, SeenFile)]
    (submitted / "honest.md").unlink()
    os.mkfifo(submitted / "honest.md")
    assert codes(FileIntake(deployment.intake, FILES, user), [file]) == ["empty_file"]


def codes(intake: FileIntake, files: Sequence[SeenFile]) -> list[str | None]:
    return [getattr(each, "code", None) for each in intake.take_in(files, TEST)]


def test_a_link_that_takes_a_failed_documents_place_is_not_submitted_by_its_code(
    deployment: Deployment, user: UserId, tmp_path: Path, secret: Path
) -> None:
    (tmp_path / "incoming").mkdir()
    file = tmp_path / "incoming/damaged.pdf"
    file.write_bytes(b"%PDF-1.7 damaged")
    document_id = submit(deployment, user, file.read_bytes(), "damaged.pdf", source=str(file)).document_id
    drain_all(deployment)
    file.unlink()
    file.symlink_to(secret)
    found = files_of_failures(str(document_id), None, None, deployment)
    assert codes(
        FileIntake(deployment.intake, FILES, user), [each for each in found[user] if isinstance(each, SeenFile)]
    ) == [REFUSED]
