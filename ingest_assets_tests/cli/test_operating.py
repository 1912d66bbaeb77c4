"""What operators see and do on the command line."""

from pathlib import Path

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets_tests.documents import policy_text
from ingest_assets_tests.system.ingest import Ingest


@pytest.fixture
def ingest(database_url: str, tmp_path: Path, user: UserId) -> Ingest:
    home = tmp_path / "home"
    home.mkdir()
    return Ingest(home, (("INGEST_DATABASE_URL", database_url), ("INGEST_USER_ID", str(user))))


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    made = [tmp_path / f"{name}.md" for name in ("one", "two")]
    for path in made:
        path.write_text(policy_text(path.stem))
    return made


def check(ingest: Ingest, name: str) -> dict[str, object]:
    found = ingest("doctor", "--json").json
    return next(each for each in found if each["check"] == name)


def test_status_and_doctor_say_that_nobody_works_on_what_waits(ingest: Ingest, paths: list[Path]) -> None:
    assert ingest("status", "--json").json["flow"]["verdict"] == "idle"
    ingest("submit", *paths)
    flow = ingest("status", "--json").json["flow"]
    assert (flow["verdict"], flow["waiting"], flow["fix"]) == ("unattended", 2, "ingest doctor")
    assert ingest("status").stdout.splitlines()[-1] == "To see why: ingest doctor"
    queue = check(ingest, "queue")
    assert (queue["ok"], queue["code"], queue["fix"]) == (False, "queue_unattended", None)
    assert check(ingest, "Dagster's daemon")["fix"] == "ingest up"


def test_what_is_paused_waits_until_it_is_resumed(ingest: Ingest, paths: list[Path], deployment: Deployment) -> None:
    ingest("submit", *paths)
    [pause] = ingest("pause", "--json").json
    assert pause["fix"] == "ingest resume"
    assert deployment.claims.claim("worker", 2, deployment.lease) == []
    assert ingest("status").stdout.splitlines()[-1].endswith("To resume: ingest resume")
    assert ingest("drain", "--json").json["done"] == 0
    assert ingest("resume").stdout.strip() == "Nothing is paused."
    assert ingest("drain", "--json").json["done"] == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--provider", "nobody"), "wrong_usage"),
        (("--user", "me"), "invalid_id"),
        (("--user", "00000000-0000-4000-8000-000000000007", "--provider", "openai"), "wrong_usage"),
    ],
)
def test_what_does_not_exist_cannot_be_paused(ingest: Ingest, arguments: tuple[str, ...], code: str) -> None:
    ran = ingest("pause", *arguments, "--json")
    assert (ran.code, ran.error["code"]) == (2, code)


def test_a_cancelled_document_says_so_and_is_brought_back(ingest: Ingest, paths: list[Path]) -> None:
    ingest("submit", *paths)
    assert len(ingest("cancel", "one.md", "--json").json) == 1
    explained = ingest("explain", "one.md", "--json").json
    assert (explained["code"], explained["fix"]) == ("cancelled", f"ingest retry {explained['document_id']}")
    assert ingest("cancel", "one.md", "--json").error["code"] == "not_queued"
    assert len(ingest("cancel", "--queued", "--json").json) == 1
    assert ingest(*explained["fix"].split()[1:], "--json").json[0]["status"] == "queued"
    assert len(ingest("retry", "--code", "cancelled", "--json").json) == 1
    assert ingest("cancel", "--json").error["code"] == "wrong_usage"


def test_shell_lines_name_dagsters_home(ingest: Ingest) -> None:
    lines = ingest("env").stdout.splitlines()
    assert f"export DAGSTER_HOME={ingest.home}/ingest/dagster" in lines
    assert all(line.startswith("export ") for line in lines)
