"""`ingest submit --estimate` tells the time by this deployment's own history, and how wrong that has been."""

from pathlib import Path

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.predictions import FEWEST_DOCUMENTS
from ingest_assets_tests.cli.in_process import Here
from ingest_assets_tests.documents import drain_all, policy_text, submit


@pytest.fixture
def here(user: UserId, monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path) -> Here:
    return Here(monkeypatch, database_url, tmp_path / "home", user)


def test_the_time_comes_out_of_the_history_once_there_is_enough(
    here: Here, deployment: Deployment, user: UserId, tmp_path: Path
) -> None:
    file = tmp_path / "new.md"
    file.write_text(policy_text("Zebra"))
    assumed = here("submit", file, "--estimate")
    assert (assumed["seconds_from"], assumed["seconds_error_percent"]) == ("assumptions", None)
    for number in range(FEWEST_DOCUMENTS + 2):
        submit(deployment, user, policy_text(f"Subject {number}", number + 1), f"{number}.md")
    drain_all(deployment)
    learnt = here("submit", file, "--estimate")
    assert learnt["seconds_from"] == "history"
    assert learnt["seconds_error_percent"] >= 0
    assert learnt["seconds"] > 0
    assert learnt | {key: assumed[key] for key in assumed if key.startswith("seconds")} == assumed
    assert "history" in here.read("submit", file, "--estimate")
