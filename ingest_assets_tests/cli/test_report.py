"""`ingest report` shows the dashboards as one page, or as JSON."""

from pathlib import Path

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets_tests.cli.in_process import Here
from ingest_assets_tests.documents import drain_all, ingest, policy_text, submit


@pytest.fixture
def here(
    deployment: Deployment, user: UserId, monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path
) -> Here:
    """With one document that is done, one that has failed, and one that waits."""
    ingest(deployment, user, policy_text("Zebra"), "zebra.md")
    submit(deployment, user, b"%PDF-1.4 truncated", "walrus.pdf")
    drain_all(deployment)
    submit(deployment, user, policy_text("Giraffe"), "giraffe.md")
    return Here(monkeypatch, database_url, tmp_path / "home", user)


def test_the_page_is_written_whole_to_a_file_for_its_owner_alone(here: Here, user: UserId, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    here.read("report", "--output", file)
    assert file.stat().st_mode & 0o777 == 0o600
    page = file.read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert page.endswith("</html>\n")
    for word in (str(user), "zebra", "walrus", "giraffe", "http"):
        assert word not in page.lower().replace("http-equiv", "")
    assert here.read("report").startswith("<!doctype html>")


def test_the_dashboards_say_what_is_there(here: Here) -> None:
    told = here("report")
    assert [each["name"] for each in told["dashboards"]] == ["operations", "business", "debugging"]
    tiles = {
        tile["label"]: tile["value"]
        for dashboard in told["dashboards"]
        for panel in dashboard["panels"]
        for tile in panel.get("tiles", ())
    }
    assert tiles["Queue"] == "unattended"
    assert (tiles["Waiting"], tiles["At work"], tiles["Dead letters"]) == ("1", "0", "1")
    assert (tiles["Documents"], tiles["Users"]) == ("3", "1")
    assert (tiles["Success rate"], tiles["Promise kept (SLA)"]) == ("50.0 %", "50.0 %")
    assert (tiles["Backlog done in"], tiles["This month will cost"]) == ("unknown", "unknown")
    rows = {
        panel["title"]: [row["cells"] for row in panel["rows"]]
        for dashboard in told["dashboards"]
        for panel in dashboard["panels"]
        if "rows" in panel
    }
    assert rows["Errors"] == [["corrupt", "1", "0"]]
    assert rows["Errors by code and stage"] == [["corrupt", "parsing", "permanent", "1"]]
    assert [row[0] for row in rows["Queue"]] == ["queued", "parsing"]
    assert "parsing" in [row[0] for row in rows["Where the time goes"]]
    [throughput] = [panel for panel in told["dashboards"][0]["panels"] if panel["title"] == "Throughput"]
    assert sum(point["value"] for point in throughput["points"]) == 1


def test_a_file_that_cannot_be_written_is_wrong_usage(here: Here, tmp_path: Path) -> None:
    assert "wrong_usage" in here.read("report", "--output", tmp_path / "nowhere" / "report.html")
