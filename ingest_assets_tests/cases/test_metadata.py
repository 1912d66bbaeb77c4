"""What is known about documents comes in with them, chooses among them, is counted, and can be changed."""

import json
from email.message import EmailMessage
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingest_assets.cli.app import app
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets_tests.cli.in_process import Here
from ingest_assets_tests.documents import drain_all


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path, user: object) -> Here:
    return Here(monkeypatch, database_url, tmp_path / "home", user)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "claims"
    made.mkdir()
    for name, metadata in {
        "a.md": {"line_of_business": "Motor", "date": "2024-01-31", "policy_number": "POL-1", "reserve": 900},
        "b.md": {"line_of_business": "motor", "date": "03.07.2024", "policy_number": "POL-2", "reserve": 12000},
        "c.md": {"line_of_business": "household", "date": "2023-12-01", "policy_number": "POL-3", "broker": "North"},
    }.items():
        (made / name).write_text(f"# Claim {name[0]}\n\nThe windscreen was broken by hail, says file {name[0]}.\n")
        (made / f"{name}.metadata.json").write_text(json.dumps(metadata))
    return made


@pytest.fixture
def submitted(here: Here, deployment: Deployment, folder: Path) -> dict[str, str]:
    """The documents' ids by their names; the files beside them are none."""
    results = here("submit", folder, "--metadata", "office=Leeds", "--metadata", "broker=none")
    drain_all(deployment)
    assert [result["code"] for result in results if result["status"] == "skipped"] == ["metadata_file"] * 3
    return {Path(result["path"]).name: result["document_id"] for result in results if result["document_id"]}


def found(here: Here, *conditions: str) -> list[str]:
    options = [option for condition in conditions for option in ("--where", condition)]
    return sorted(hit["filename"] for hit in here("search", "hail windscreen", *options))


def test_searches_find_only_what_meets_all_conditions(here: Here, submitted: dict[str, str]) -> None:
    assert found(here) == ["a.md", "b.md", "c.md"]
    assert found(here, "line_of_business=MOTOR") == ["a.md", "b.md"]
    assert found(here, "line_of_business=motor", "policy_number=POL-2") == ["b.md"]
    assert found(here, "date>=2024-01-01", "date<2024-07-03") == ["a.md"]
    assert found(here, "date<=31.01.2024") == ["a.md", "c.md"]
    assert found(here, "reserve>1000") == ["b.md"]
    assert found(here, "office=Leeds", "broker=North") == ["c.md"]
    assert found(here, "line_of_business=motor", "line_of_business=household") == []
    assert found(here, "unheard_of=x") == found(here, "unheard_of>0") == []


def test_values_are_counted(here: Here, submitted: dict[str, str]) -> None:
    assert here("facets", "line_of_business", "broker", "unheard_of") == {
        "line_of_business": {"motor": 2, "household": 1},
        "broker": {"none": 2, "North": 1},
        "unheard_of": {},
    }
    assert here("facets", "line_of_business", "--where", "date>=2024-02-01") == {"line_of_business": {"motor": 1}}


def test_what_is_known_changes_without_any_work(
    here: Here, deployment: Deployment, submitted: dict[str, str], folder: Path
) -> None:
    changed = here("metadata", submitted["a.md"], "--set", "policy_number=POL-9", "--remove", "reserve")
    assert changed == here("metadata", submitted["a.md"])
    assert (changed["policy_number"], "reserve" in changed, changed["office"]) == ("POL-9", False, "Leeds")
    assert found(here, "policy_number=POL-9") == ["a.md"]
    (folder / "b.md.metadata.json").write_text('{"reserve": 50}')
    again = here("submit", folder)
    assert {result["status"] for result in again} == {"unchanged", "skipped"}
    assert found(here, "reserve<=50", "policy_number=POL-2") == ["b.md"]
    assert drain_all(deployment).done == 0


def test_attachments_are_found_by_what_is_known_of_their_mail(
    here: Here, deployment: Deployment, tmp_path: Path
) -> None:
    mail = EmailMessage()
    mail.set_content("See the report.")
    mail.add_attachment(b"# Report\n\nHail broke it.\n", maintype="text", subtype="markdown", filename="report.md")
    (tmp_path / "mail.eml").write_bytes(mail.as_bytes())
    here("submit", tmp_path / "mail.eml", "--metadata", "claim_number=CLM-7")
    drain_all(deployment)
    drain_all(deployment)
    [hit] = here("search", "hail report", "--where", "claim_number=CLM-7", "--limit", 1)
    assert hit["filename"] == "report.md"


def test_it_is_exported_and_deleted_with_its_document(here: Here, submitted: dict[str, str], user: UserId) -> None:
    exported = here.read("export", "--user", user)
    assert '"broker": "North"' in exported
    here("delete", submitted["c.md"])
    assert "North" not in here.read("export", "--user", user)
    assert here("facets", "broker") == {"broker": {"none": 2}}


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"Key": "x"}', '{"date": "soon"}', '{"a": {}}', '{"a": ""}', '{"policy_number": "none"}']
)
def test_a_file_whose_metadata_is_not_understood_is_refused_and_nothing_of_it_is_told(
    here: Here, tmp_path: Path, content: str
) -> None:
    here("status")
    (tmp_path / "a.md").write_text("# Text")
    (tmp_path / "a.md.metadata.json").write_text(content)
    ran = CliRunner().invoke(app, ["submit", str(tmp_path / "a.md"), "--json"])
    assert ran.exit_code == 1
    [result] = json.loads(ran.stdout)
    assert (result["status"], result["code"]) == ("rejected", "invalid_metadata")
    assert "soon" not in ran.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "hail", "--where", "date=soon"],
        ["search", "hail", "--where", "nothing"],
        ["submit", ".", "--metadata", "nothing"],
        ["submit", ".", "--metadata", "K=x"],
        ["submit", "--code", "corrupt", "--metadata", "k=x"],
    ],
)
def test_what_is_not_understood_on_the_command_line_is_wrong_usage(here: Here, arguments: list[str]) -> None:
    here("status")
    assert CliRunner().invoke(app, arguments).exit_code in (1, 2)


def test_nobody_else_finds_counts_or_changes_it(
    here: Here, deployment: Deployment, submitted: dict[str, str], other_user: UserId
) -> None:
    as_other = ("--user", str(other_user))
    assert here("facets", "broker", *as_other) == {"broker": {}}
    assert here("search", "hail", "--where", "office=Leeds", *as_other) == []
    ran = CliRunner().invoke(app, ["metadata", submitted["a.md"], "--set", "office=York", *as_other])
    assert ran.exit_code == 1
    assert here("metadata", submitted["a.md"])["office"] == "Leeds"
