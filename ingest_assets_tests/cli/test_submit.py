"""A folder submitted again and again: what is believed, what is verified, what is pruned, what is imported for it."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from uuid import uuid4
from zipfile import ZipFile

import psycopg
import pytest

from ingest_assets.cli.app import SUMMARIES, load_command
from ingest_assets.cli.results import REASONS, SHOWN_UNASKED
from ingest_assets.domain.files.skipping import SkipReason
from ingest_assets.pipeline.file_intake import TAKEN_IN_AT_ONCE
from ingest_assets_tests.documents import policy_text
from ingest_assets_tests.interrupts import HEEDING
from ingest_assets_tests.system.ingest import INGEST, TIMEOUT, Ingest, Ran
from ingest_assets_tests.waiting import until

HEAVY = {
    "numpy",
    "pandas",
    "rich",
    "dagster",
    "openai",
    "llama_parse",
    "xberg",
    "pypdfium2",
    "Stemmer",
    "tiktoken",
    "fastapi",
    "uvicorn",
    "jwt",
    "multiprocessing",
}
AS_AN_OLDER_FILE = "UPDATE upload_pipeline.document_sources SET file_seen_ns = file_changed_ns + 2000000000"

WAITING_FOR_A_LOCK = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"""


@pytest.fixture
def ingest(database_url: str, tmp_path: Path) -> Ingest:
    (tmp_path / "home").mkdir()
    return Ingest(tmp_path / "home", (("INGEST_DATABASE_URL", database_url), ("INGEST_USER_ID", str(uuid4()))))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    (folder / "part").mkdir(parents=True)
    for name in ("dental.md", "optical.md", "part/zebra.md"):
        (folder / name).write_text(policy_text(Path(name).stem))
    return folder


def statuses(ran: Ran) -> dict[str, str]:
    return {Path(result["path"]).name: result["status"] for result in ran.json}


def sightings(database_url: str) -> list[tuple[int, str]]:
    with psycopg.connect(database_url) as connection:
        return connection.execute(
            "SELECT file_seen_ns, file_sha FROM upload_pipeline.document_sources ORDER BY source"
        ).fetchall()


def test_files_to_which_nothing_happened_are_not_read_again(ingest: Ingest, folder: Path, database_url: str) -> None:
    ingest("submit", folder)
    first = sightings(database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute(AS_AN_OLDER_FILE)
    before = sightings(database_url)
    assert set(statuses(ingest("submit", folder, "--json")).values()) == {"unchanged"}
    assert sightings(database_url) == before
    assert set(statuses(ingest("submit", folder, "--verify", "--json")).values()) == {"unchanged"}
    verified = sightings(database_url)
    assert all(after > then for (after, _), (then, _) in zip(verified, first, strict=True))
    assert all(after != pretended for (after, _), (pretended, _) in zip(verified, before, strict=True))


def test_a_byte_that_changed_behind_equal_size_and_times_is_found_by_verifying(
    ingest: Ingest, folder: Path, database_url: str
) -> None:
    file = folder / "dental.md"
    ingest("submit", folder)
    status = file.stat()
    file.write_text(file.read_text().replace("pays 50 percent", "pays 90 percent"))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    with psycopg.connect(database_url) as connection:
        # As on a file system that does not keep the time of the last change.
        connection.execute(
            "UPDATE upload_pipeline.document_sources SET file_changed_ns = %s WHERE source = %s",
            [file.stat().st_ctime_ns, str(file)],
        )
        connection.execute(AS_AN_OLDER_FILE)
    assert statuses(ingest("submit", folder, "--json"))["dental.md"] == "unchanged"
    verified = statuses(ingest("submit", folder, "--verify", "--json"))
    assert verified == {"dental.md": "new_version", "optical.md": "unchanged", "zebra.md": "unchanged"}


def test_what_is_gone_from_a_folder_is_pruned_everywhere_but_in_the_history(ingest: Ingest, folder: Path) -> None:
    submitted = {Path(each["path"]).name: each for each in ingest("submit", folder, "--json").json}
    ingest("drain")
    assert "zebra" in ingest("search", "zebra policy", "--json").stdout
    (folder / "part" / "zebra.md").unlink()
    assert statuses(ingest("submit", folder, "--json")) == {"dental.md": "unchanged", "optical.md": "unchanged"}
    estimated = ingest("submit", "--prune", "--estimate", folder, "--json").json
    assert (estimated["documents"], estimated["pruned"]) == (0, 1)
    ran = ingest("submit", "--prune", folder, "--json")
    assert (ran.code, statuses(ran)["zebra.md"]) == (0, "pruned")
    document_id = submitted["zebra.md"]["document_id"]
    assert [each["document_id"] for each in ran.json if each["status"] == "pruned"] == [document_id]
    assert "zebra" not in ingest("search", "zebra policy", "--json").stdout
    assert ingest("status", "--json").json["documents"] == 2
    assert ingest("explain", document_id, "--json").json["code"] == "deleted"
    assert "pruned" not in statuses(ingest("submit", "--prune", folder, "--json")).values()


def test_a_moved_file_keeps_its_document(ingest: Ingest, folder: Path) -> None:
    before = {Path(each["path"]).name: each for each in ingest("submit", folder, "--json").json}
    (folder / "dental.md").rename(folder / "part" / "teeth.md")
    ran = ingest("submit", "--prune", folder, "--json")
    assert statuses(ran) == {
        "optical.md": "unchanged",
        "teeth.md": "unchanged",
        "zebra.md": "unchanged",
        "dental.md": "pruned",
    }
    assert {each["document_id"] for each in ran.json} == {each["document_id"] for each in before.values()}
    assert ingest("status", "--json").json["documents"] == 3


def test_a_folder_of_which_nothing_is_left_is_not_pruned_by_accident(ingest: Ingest, folder: Path) -> None:
    ingest("submit", folder)
    for file in list(folder.rglob("*.md")):
        file.unlink()
    (folder / "new.md").write_text(policy_text("New"))
    refused = ingest("submit", "--prune", folder, "--json")
    assert (refused.code, refused.error["code"]) == (1, "prune_suspicious")
    assert ingest("status", "--json").json["documents"] == 3
    meant = ingest("submit", "--prune-all", folder, "--json")
    assert Counter(statuses(meant).values()) == {"pruned": 3, "queued": 1}
    assert ingest("status", "--json").json["documents"] == 1


def test_a_folder_that_is_not_there_prunes_nothing(ingest: Ingest, folder: Path) -> None:
    ingest("submit", folder)
    folder.rename(folder.with_name("elsewhere"))
    for option in ("--prune", "--prune-all"):
        refused = ingest("submit", option, folder, folder.with_name("elsewhere"), "--json")
        assert (refused.code, refused.error["code"]) == (1, "path_missing")
    assert ingest("status", "--json").json["documents"] == 3


def test_a_file_alone_cannot_be_pruned_from(ingest: Ingest, folder: Path) -> None:
    refused = ingest("submit", "--prune", folder / "dental.md", "--json")
    assert (refused.code, refused.error["code"]) == (2, "wrong_usage")


def test_a_name_that_is_no_text_keeps_no_other_file_out(ingest: Ingest, folder: Path) -> None:
    (folder / os.fsdecode(b"\xff.md")).write_text("text")
    ran = ingest("submit", folder, "--json")
    assert Counter(statuses(ran).values()) == {"queued": 3, "rejected": 1}
    assert ingest("submit", folder).code == 1


def imported(ingest: Ingest, *arguments: str) -> set[str]:
    """The packages that a command imports."""
    program = "import sys; from ingest_assets.cli.app import app; app(standalone_mode=False); print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments], env=ingest.environment, capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in ran.stdout.splitlines()[-1].split()}


def test_what_is_taken_in_before_ctrl_c_is_told_and_the_rest_comes_with_the_next_submission(
    ingest: Ingest, folder: Path, database_url: str
) -> None:
    changed = folder / "yearly.md"
    changed.write_text(policy_text("yearly"))
    ingest("submit", changed, "--json")
    changed.write_text(policy_text("yearly, changed"))
    for number in range(TAKEN_IN_AT_ONCE):
        (folder / f"{number:03}.md").write_text(policy_text(str(number)))
    with psycopg.connect(database_url) as holder:
        holder.execute("SELECT FROM upload_pipeline.documents FOR UPDATE")
        command = [*HEEDING, str(INGEST), "submit", str(folder), "--json"]
        submission = subprocess.Popen(command, env=ingest.environment, stdout=-1, stderr=-1, text=True)
        with psycopg.connect(database_url, autocommit=True) as looking:
            until(lambda: looking.execute(WAITING_FOR_A_LOCK).fetchone() == (1,))
        submission.send_signal(signal.SIGINT)
        told, said = submission.communicate(timeout=TIMEOUT)
    assert submission.returncode == 130
    assert [result["status"] for result in json.loads(told)] == ["queued"] * TAKEN_IN_AT_ONCE
    assert "submit the same again" in said
    again = Counter(result["status"] for result in ingest("submit", folder, "--json").json)
    assert again == {"unchanged": TAKEN_IN_AT_ONCE, "queued": 3, "new_version": 1}


def test_of_many_files_people_see_the_first_and_those_with_problems(ingest: Ingest, folder: Path) -> None:
    for number in range(SHOWN_UNASKED):
        (folder / f"{number:03}.md").write_text(policy_text(str(number)))
    (folder / "zebra.pdf").write_bytes(b"no PDF")
    ran = ingest("submit", folder)
    assert ran.stdout.count("queued") == SHOWN_UNASKED
    assert "zebra.pdf" in ran.stdout
    assert "3 more; `--all` shows them too." in ran.stderr
    assert ingest("submit", folder, "--all").stdout.count("unchanged") == SHOWN_UNASKED + 3


def test_a_folder_with_an_archive_says_what_became_of_it(ingest: Ingest, folder: Path) -> None:
    with ZipFile(folder / "claims.zip", "w") as archive:
        archive.writestr("claim.md", policy_text("claim"))
    ran = ingest("submit", folder)
    assert (ran.code, "1 archives, which INGEST_ARCHIVES" in ran.stderr) == (0, True)


@pytest.mark.parametrize("reason", SkipReason)
def test_whatever_is_skipped_is_told_in_words(reason: SkipReason) -> None:
    assert reason in REASONS


def test_a_refusal_says_what_happened_and_what_to_do(ingest: Ingest, tmp_path: Path) -> None:
    (tmp_path / "text.docx").write_text("No letter of Word.")
    told = ingest("submit", tmp_path / "text.docx").stderr
    assert "type_mismatch: The content is" in told
    assert "Correct the extension" in told


@pytest.mark.parametrize("name", ["~$lock.docx", "~nobody/letter.pdf"])
def test_a_name_that_begins_with_a_tilde_is_a_name(ingest: Ingest, name: str) -> None:
    ran = ingest("explain", name, "--json")
    assert (ran.code, ran.error["code"]) == (1, "unknown_document")


def test_help_imports_nothing_but_what_prints_it(ingest: Ingest) -> None:
    assert not imported(ingest, "--help") & (HEAVY | {"psycopg", "pydantic"})


def test_a_submission_without_work_imports_nothing_that_works(ingest: Ingest, folder: Path) -> None:
    ingest("submit", folder)
    assert not imported(ingest, "submit", str(folder), "--json") & HEAVY


@pytest.mark.parametrize("name", SUMMARIES)
def test_every_command_that_is_listed_can_be_loaded(name: str) -> None:
    assert load_command(name).name == name


def test_a_command_that_does_not_exist_is_wrong_usage_and_a_similar_one_is_named(ingest: Ingest) -> None:
    ran = ingest("submitt")
    assert ran.code == 2
    assert "submit" in ran.stderr
