"""Something is wrong, and nobody who knows the code is awake: what commands say names the cause and one way out."""

import json
import re
import socket
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict
from typer.testing import CliRunner

from ingest_assets.cli.app import app
from ingest_assets.cli.doctor import work
from ingest_assets.cli.flow import lines_of
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors.remedies import NEEDS_SOMEBODY, REMEDIES, Remedy
from ingest_assets.domain.queue.pauses import Pause, Paused
from ingest_assets.domain.spending.providers import ProviderName
from ingest_assets.posix.locks import try_exclusive
from ingest_assets_tests.cli.failing_world import PATIENT, World, error_of
from ingest_assets_tests.cli.in_process import Here
from ingest_assets_tests.documents import drain_all, policy_text
from ingest_assets_tests.domain.queue.test_flow import IDLE, NOW
from ingest_assets_tests.emulators.openai import KEY, OpenAIEmulator
from ingest_assets_tests.pipeline.test_failures import failing

CLOSED_PORT = 9
"""The discard service, which no host runs any more."""


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path, user: UserId) -> Here:
    home = tmp_path / "home"
    home.mkdir()
    return Here(monkeypatch, database_url, home, user)


def checks(*names: str) -> list[dict[str, object]]:
    found = {each["check"]: each for each in json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)}
    return [found[name] for name in names]


@pytest.mark.parametrize(
    "url", ["nonsense", "host=127.0.0.1 dbname=ingest", "http://db.example/ingest", "postgresql://me@[/ingest"]
)
@pytest.mark.parametrize("name", ["INGEST_DATABASE_URL", "INGEST_DAGSTER_DATABASE_URL"])
def test_what_is_no_url_of_a_database_is_named_without_quoting_it(
    here: Here, monkeypatch: pytest.MonkeyPatch, name: str, url: str
) -> None:
    monkeypatch.setenv(name, url)
    ran = CliRunner().invoke(app, ["doctor" if "DAGSTER" in name else "status"])
    assert "database_url_invalid" in ran.output or "must look like postgresql://" in ran.output
    assert "unexpected" not in ran.output
    assert url not in ran.output


def test_a_server_that_lets_nobody_in_is_not_said_to_be_silent(
    here: Here, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    database = str(conninfo_to_dict(database_url)["dbname"])
    monkeypatch.setenv("INGEST_DATABASE_URL", database_url.replace(f"/{database}?", "/no_such_database?"))
    refused = here.read("status")
    assert refused.startswith("database_refused: The database server answers"), refused
    assert "no_such_database" not in refused


def test_a_wrong_setting_is_named_and_no_option_is_suggested(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGEST_STORAGE_URL", "ftp://server/folder")
    ran = CliRunner().invoke(app, ["status"])
    assert ran.exit_code == 2
    assert ran.output.startswith(
        "setting_invalid: INGEST_STORAGE_URL: it must look like file:///path or s3://bucket/prefix."
    )
    assert "--help" not in ran.output


@pytest.mark.parametrize("url", ["http://127.0.0.1:6399", "localhost:6379", "redis:///", "amqp://me:secret@[/name"])
def test_what_is_no_url_of_a_broker_is_named_without_quoting_it(
    here: Here, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("INGEST_BROKER_URL", url)
    ran = CliRunner().invoke(app, ["worker"])
    assert ran.exit_code == 2
    assert ran.output.startswith("setting_invalid: INGEST_BROKER_URL: ")
    assert url not in ran.output


def test_a_lane_that_does_not_exist_is_named_before_anything_else_that_a_worker_lacks(here: Here) -> None:
    ran = CliRunner().invoke(app, ["worker", "--lanes", "parse,reading"])
    assert ran.exit_code == 2
    assert "There is no lane 'reading'; --lanes takes parse, ocr, embed, separated by commas." in ran.output


def test_whoever_needs_somebody_is_waited_for() -> None:
    assert {REMEDIES[code] for code in NEEDS_SOMEBODY} == {Remedy.WAIT}


def test_nobody_is_told_to_wait_for_a_key_that_is_refused(world: World) -> None:
    document_id = world.submit()
    code = "service_key_refused"
    drain_all(failing(world.deployment, error_of(code), 1).replacing(retry_policy=PATIENT))
    assert "ingest status --failed" in world.ingest.read("status")
    assert "Waiting helps" not in world.ingest.read("status", "--failed")
    explained = world.ingest.read("explain", document_id)
    assert "Waiting helps" not in explained
    assert "When the cause is mended, to have it done at once, run: ingest retry" in explained
    assert world.ingest("explain", document_id)["waiting_helps"] is False


def test_a_missing_daemon_is_the_one_cause_of_a_queue_that_stands_still(here: Here, tmp_path: Path) -> None:
    path = tmp_path / "one.md"
    path.write_text(policy_text())
    here("submit", path)
    queue, daemon = checks("queue", "Dagster's daemon")
    assert (queue["ok"], daemon["ok"], queue["fix"]) == (False, False, None)
    assert daemon["fix"] == "ingest up"


def test_one_cause_is_named_once_with_where_the_database_is_looked_for(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INGEST_DATABASE_URL", f"postgresql://somebody@127.0.0.1:{CLOSED_PORT}/ingest")
    told = here.read("doctor")
    assert told.count("The database does not answer.") == 1
    assert "The server is looked for at 127.0.0.1:9." in told
    assert "for the same cause as the database: schema, isolation of users" in told
    schema, store = checks("schema", "document store")
    assert (schema["because_of"], store["because_of"], schema["fix"]) == ("database", "database", None)


def test_a_dagster_database_that_is_not_there_is_not_called_a_wrong_password(
    here: Here, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    database = str(conninfo_to_dict(database_url)["dbname"])
    monkeypatch.setenv("INGEST_DAGSTER_DATABASE_URL", database_url.replace(f"/{database}?", "/no_such_database?"))
    told = here.read("doctor")
    assert told.count("Dagster's database is not there yet, or refuses this login.") == 1
    assert "Check the login, the password" not in told


def test_two_providers_without_keys_are_two_causes(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGEST_EMBEDDER", "openai")
    monkeypatch.setenv("INGEST_PARSER", "llamaparse")
    parser, embedder = checks("parser", "embedder")
    assert (parser["code"], embedder["code"], embedder["because_of"]) == ("key_unset", "key_unset", None)


def test_an_old_schema_is_named_with_its_command(
    here: Here, monkeypatch: pytest.MonkeyPatch, empty_database_url: str
) -> None:
    monkeypatch.setenv("INGEST_DATABASE_URL", empty_database_url)
    schema, queue = checks("schema", "queue")
    assert (schema["code"], schema["fix"], queue["because_of"]) == ("schema_outdated", "ingest migrate", "schema")


@pytest.mark.parametrize(
    ("key", "code", "fix"),
    [
        ("", "key_unset", "ingest up"),
        (f"{KEY}?", "service_key_refused", "ingest up"),
        (KEY, "service_away", "ingest status --watch"),
    ],
    ids=["no key", "a wrong key", "nobody answers"],
)
def test_a_provider_that_does_not_serve_is_named_with_what_helps(
    here: Here, monkeypatch: pytest.MonkeyPatch, key: str, code: str, fix: str
) -> None:
    with OpenAIEmulator() as emulator:
        away = f"http://127.0.0.1:{CLOSED_PORT}/v1"
        monkeypatch.setenv("INGEST_EMBEDDER", "openai")
        monkeypatch.setenv("OPENAI_API_KEY", key)
        monkeypatch.setenv("OPENAI_BASE_URL", away if code == "service_away" else emulator.base_url)
        [embedder] = checks("embedder")
    assert (embedder["ok"], embedder["code"], embedder["fix"]) == (False, code, fix)


def test_a_port_that_another_program_has_is_named_with_a_free_one(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("INGEST_UI_PORT", str(port))
        [found] = checks("port of the page")
    assert (found["code"], str(port) in str(found["detail"])) == ("port_in_use", True)
    assert re.fullmatch(r"ingest up --port \d+", str(found["fix"]))


def test_a_full_disk_is_named_with_what_shows_who_takes_it(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "LEAST_FREE_BYTES", sys.maxsize)
    [disk] = checks("disk")
    assert (disk["ok"], str(disk["fix"]).startswith("du ")) == (False, True)


def test_where_everything_runs_already_it_is_not_to_be_started_again(here: Here, tmp_path: Path) -> None:
    path = tmp_path / "one.md"
    path.write_text(policy_text())
    here("submit", path)
    held = try_exclusive(tmp_path / "home" / "up.lock")
    assert held is not None
    [daemon] = checks("Dagster's daemon")
    held.release()
    assert daemon["fix"] == "ingest drain"


def test_a_queue_that_stands_still_is_not_said_to_be_done_soon() -> None:
    waiting = replace(IDLE, waiting=8, finished=60)
    assert "At this rate" not in " ".join(lines_of(waiting, []))
    assert "At this rate" not in " ".join(lines_of(waiting, [Pause(Paused(), NOW)]))
    assert "At this rate" in " ".join(lines_of(replace(waiting, looked_at=NOW - timedelta(seconds=1)), []))


def test_a_pause_says_what_it_pauses(user: UserId) -> None:
    pauses = [Pause(Paused(), NOW), Pause(Paused(user), NOW), Pause(Paused(None, ProviderName("openai")), NOW)]
    told = lines_of(IDLE, pauses)
    assert [line.split(" paused,")[0] for line in told] == [
        "Everything is",
        f"The documents of user {user} are",
        "Calls of openai are",
    ]


def test_nothing_is_brought_back_where_nothing_was_cancelled(here: Here) -> None:
    assert here.read("cancel", "--queued") == "Cancelled: 0. Nothing waits.\n"


def test_what_a_worker_has_left_is_not_said_to_be_at_work() -> None:
    told = lines_of(replace(IDLE, abandoned=8), [])
    assert told[0] == "Abandoned by their workers: 8."
    assert lines_of(replace(IDLE, working=8, workers=1), [])[0] == "At work: 8, in 1 run."
