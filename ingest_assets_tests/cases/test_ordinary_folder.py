"""A folder as people have them: what is no document is skipped, counted, and no reason to fail."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingest_assets.cli.app import app
from ingest_assets_tests.cli.in_process import Here

SKIPPED = {
    "Thumbs.db": "system_file",
    "desktop.ini": "system_file",
    ".DS_Store": "system_file",
    "~$olicy.docx": "temporary_file",
    "half.pdf.crdownload": "temporary_file",
    "draft.tmp": "temporary_file",
    "empty.pdf": "empty_file",
    "dangling.md": "path_missing",
    "out.md": "path_missing",
    "itself": "folder_loop",
    "setup.xyz": "unsupported",
}


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path, user: object) -> Here:
    return Here(monkeypatch, database_url, tmp_path / "home", user)


@pytest.fixture
def share(tmp_path: Path) -> Path:
    folder = tmp_path / "share"
    folder.mkdir()
    (folder / "good.md").write_text("# Hail\n\nHail is covered.\n")
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store", "~$olicy.docx", "half.pdf.crdownload", "draft.tmp"):
        (folder / name).write_bytes(b"\x00\x01 nothing that anybody reads \xff")
    (folder / "setup.xyz").write_bytes(b"\x7fELF\x00\x01")
    (folder / "empty.pdf").touch()
    (folder / "dangling.md").symlink_to(folder / "gone.md")
    (folder / "out.md").symlink_to(tmp_path / "gone.md")
    (folder / "itself").symlink_to(folder)
    (folder / ".hidden.md").write_text("Nobody named it.")
    return folder


def codes(results: list[dict[str, str]]) -> dict[str, str]:
    return {Path(result["path"]).name: result["code"] for result in results if "code" in result}


def test_every_night_the_folder_goes_in_and_what_is_no_document_is_counted(here: Here, share: Path) -> None:
    first = here("submit", share)
    assert codes(first) == SKIPPED
    assert {result["status"] for result in first if "code" in result} == {"skipped"}
    assert [Path(result["path"]).name for result in first if result["status"] == "queued"] == ["good.md"]
    second = here("submit", share)
    assert [result["status"] for result in second if result["document_id"]] == ["unchanged"]
    assert codes(second) == SKIPPED


def test_people_read_how_many_were_skipped_and_why(here: Here, share: Path) -> None:
    here("status")
    ran = CliRunner().invoke(app, ["submit", str(share)])
    assert ran.exit_code == 0
    read = " ".join(ran.stderr.split())
    assert "11 skipped: 1 empty files, 1 links to a folder that contains them, 2 links that lead nowhere" in read
    assert "3 files of the operating system, 3 temporary files and half downloads, 1 files of types" in read
    assert "Thumbs.db" not in ran.output


@pytest.mark.parametrize("name", ["setup.xyz", "empty.pdf", "dangling.md", "Thumbs.db"])
def test_whoever_names_such_a_file_means_it(here: Here, share: Path, name: str) -> None:
    here("status")
    ran = CliRunner().invoke(app, ["submit", str(share / name), "--json"])
    assert ran.exit_code == 1
    [result] = json.loads(ran.stdout)
    assert result["status"] == "rejected"


def test_what_is_damaged_or_hostile_in_a_folder_is_refused(here: Here, share: Path) -> None:
    here("status")
    (share / "broken.docx").write_bytes(b"PK\x03\x04 and no more")
    ran = CliRunner().invoke(app, ["submit", str(share), "--json"])
    assert ran.exit_code == 1
    [rejected] = [result for result in json.loads(ran.stdout) if result["status"] == "rejected"]
    assert Path(rejected["path"]).name == "broken.docx"


def test_ignore_files_and_options_say_what_is_meant(here: Here, tmp_path: Path) -> None:
    for name in (
        "a.md",
        "b.txt",
        "drafts/c.md",
        "claims/d.md",
        "claims/old/e.md",
        "claims/old/keep.md",
        "claims/f.log",
    ):
        (tmp_path / "share" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "share" / name).write_text(f"Text of {name}.")
    (tmp_path / "share/.ingestignore").write_text("# not yet\n/drafts/\n*.log\n\\\n")
    (tmp_path / "share/claims/.ingestignore").write_text("old/*\n!old/keep.md\n")

    def taken(*options: str) -> list[str]:
        results = here("submit", tmp_path / "share", *options)
        assert {result["code"] for result in results if result["status"] == "skipped"} <= {"ignored"}
        return [Path(result["path"]).name for result in results if result["status"] != "skipped"]

    assert taken() == ["a.md", "b.txt", "d.md", "keep.md"]
    assert taken("--exclude", "*.txt", "--exclude", "/claims") == ["a.md"]
    assert taken("--include", "*.md") == ["a.md", "d.md", "keep.md"]
    assert taken("--include", "claims/**", "--exclude", "keep.*") == ["d.md"]


def test_options_for_folders_need_folders_and_patterns_have_to_be_some(here: Here, share: Path) -> None:
    here("status")
    for arguments in (["--code", "corrupt", "--include", "*.md"], [str(share), "--exclude", "!"]):
        assert CliRunner().invoke(app, ["submit", *arguments]).exit_code == 2
