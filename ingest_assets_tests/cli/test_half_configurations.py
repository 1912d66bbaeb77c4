"""With half a configuration, every command that does not need the other half works."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets_tests.documents import ingest, policy_text

DOCUMENT = "{document}"
NEEDS_NO_PROVIDER = (
    ["status"],
    ["status", "--failed"],
    ["status", DOCUMENT],
    ["explain", DOCUMENT],
    ["costs"],
    ["costs", "--by-day"],
    ["export", "--document", DOCUMENT],
    ["database-url"],
    ["migrate"],
    ["retry", "--dead-letters"],
    ["submit", "{file}"],
    ["submit", "{folder}", "--prune"],
    ["delete", DOCUMENT],
)
NEEDS_THE_EMBEDDER = (["search", "dental care"],)
NEEDS_BOTH = (["refresh"], ["refresh", "--estimate"])
HALVES = {
    "LlamaParse without its key": {"INGEST_PARSER": "llamaparse"},
    "OpenAI without its key": {"INGEST_EMBEDDER": "openai"},
    "both without their keys": {"INGEST_PARSER": "llamaparse", "INGEST_EMBEDDER": "openai"},
}


@dataclass(frozen=True)
class Ran:
    code: int
    errors: str


@pytest.fixture
def names(deployment: Deployment, user: UserId, tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "note.md").write_text(policy_text("Note", 1))
    document = ingest(deployment, user, policy_text())
    return {"document": str(document), "file": str(folder / "note.md"), "folder": str(folder), "user": str(user)}


def run(words: list[str], names: dict[str, str], environment: dict[str, str], deployment: Deployment) -> Ran:
    command = [sys.executable, "-m", "ingest_assets.cli", *(word.format(**names) for word in words)]
    assert deployment.settings.database_url is not None
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith(("INGEST_", "OPENAI_"))}
    surroundings |= {
        "INGEST_HOME": str(deployment.settings.home_folder),
        "INGEST_DATABASE_URL": deployment.settings.database_url.get_secret_value(),
        "INGEST_USER_ID": names["user"],
    }
    ran = subprocess.run(command, env=surroundings | environment, capture_output=True, text=True, check=False)
    return Ran(ran.returncode, ran.stderr)


@pytest.mark.parametrize("half", HALVES)
def test_commands_work_where_a_provider_is_chosen_that_they_do_not_need(
    deployment: Deployment, names: dict[str, str], half: str
) -> None:
    failed = {}
    for words in NEEDS_NO_PROVIDER:
        ran = run(words, names, HALVES[half], deployment)
        if ran.code:
            failed[" ".join(words)] = ran.errors
    assert not failed


def test_a_search_needs_no_parser(deployment: Deployment, names: dict[str, str]) -> None:
    for words in NEEDS_THE_EMBEDDER:
        ran = run(words, names, HALVES["LlamaParse without its key"], deployment)
        assert ran.code == 0, ran.errors


@pytest.mark.parametrize("half", HALVES)
def test_a_command_that_needs_the_missing_key_names_it(
    deployment: Deployment, names: dict[str, str], half: str
) -> None:
    for words in NEEDS_BOTH:
        ran = run(words, names, HALVES[half], deployment)
        assert ran.code == 1
        assert "key_unset" in ran.errors
        assert "_API_KEY" in ran.errors


def test_doctor_examines_what_it_can_and_fails_for_the_missing_key_alone(
    deployment: Deployment, names: dict[str, str]
) -> None:
    environment = HALVES["LlamaParse without its key"] | {"INGEST_DAGSTER_DATABASE_URL": "postgresql:///none"}
    ran = run(["doctor", "--json"], names, environment, deployment)
    assert ran.code == 1
    assert "key_unset" not in ran.errors
