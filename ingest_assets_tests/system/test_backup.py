"""Backups as a user makes them, of the embedded database, restored where Dagster knows nothing."""

from pathlib import Path

import pytest

from ingest_assets_tests.documents import policy_text
from ingest_assets_tests.system import restore_drill
from ingest_assets_tests.system.ingest import Ingest
from ingest_assets_tests.system.test_deployment import partitions
from ingest_assets_tests.waiting import until

pytestmark = pytest.mark.timeout(600)


def submit(ingest: Ingest, folder: Path, *subjects: str) -> None:
    folder.mkdir(exist_ok=True)
    for subject in subjects:
        (folder / f"{subject}.md").write_text(policy_text(subject))
    assert ingest("submit", folder, "--json").code == 0


def listed(ingest: Ingest) -> set[str]:
    return {each["document_id"] for each in ingest("list", "--json").json}


def test_a_restored_deployment_goes_on_and_its_new_dagster_hears_of_everything(tmp_path: Path) -> None:
    first, second, backups = Ingest(tmp_path / "first"), Ingest(tmp_path / "second"), tmp_path / "backups"
    assert first("migrate").code == 0
    submit(first, tmp_path / "done", "Dental", "Hail")
    assert first("drain").code == 0
    submit(first, tmp_path / "waiting", "Zebra")
    made = first("backup", backups, "--json").json
    assert (made["documents"], made["copied"], made["missing"]) == (3, 5, [])
    restored = second("restore", backups, "--json").json
    assert (restored["documents"], restored["requeued"], restored["damaged"]) == (3, 0, [])
    wanted = listed(first)
    with second.up() as ui:
        ran = second("restore", backups, "--json")
        assert (ran.code, ran.error["code"]) == (1, "home_in_use")
        until(lambda: partitions(ui, "materialized") == wanted, timeout=240)
        assert second("status", "--json").json["searchable"] == 3
        checked = second("doctor", "--deep")
        assert checked.code == 0, checked.stdout + checked.stderr


def test_what_cannot_be_restored_is_said_by_its_code_and_with_something_to_do(tmp_path: Path) -> None:
    ingest, backups = Ingest(tmp_path / "home"), tmp_path / "backups"
    ran = ingest("restore", backups, "--json")
    assert (ran.code, ran.error["code"]) == (1, "backup_missing")
    assert "ingest backup DIR" in ran.error["hint"]
    assert ingest("migrate").code == 0
    submit(ingest, tmp_path / "documents", "Dental")
    assert "Backed up 1 documents" in ingest("backup", backups).stdout
    ran = ingest("restore", backups, "--json")
    assert (ran.code, ran.error["code"]) == (1, "place_not_empty")
    assert ingest("backup").code == 2


def silently(line: str) -> None:
    """Hears what is being done."""


def test_the_drill_loses_nothing(tmp_path: Path) -> None:
    drill = restore_drill.run(tmp_path, 20, silently)
    assert (len(drill.documents), drill.lost, drill.problems) == (20, set(), [])
