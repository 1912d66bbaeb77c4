"""What Dagster's page and an alert say of documents that failed: the reason and the command, and the command works."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_assets_tests.alert_receiver import Receiver, receiving
from ingest_assets_tests.canary import Canary
from ingest_assets_tests.sample_files import pdf
from ingest_assets_tests.system.ingest import Ingest, Ui
from ingest_assets_tests.waiting import until

pytestmark = pytest.mark.timeout(600)

FEW = 2
RUNS = """query Runs { runsOrError(limit: 100) { ... on Runs { results { runId jobName status } } } }"""
EVENTS = """query Events($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events { __typename
  ... on MessageEvent { message level }
  ... on RunFailureEvent { error { message stack } }
  ... on ExecutionStepFailureEvent { error { message stack causes { message } }
    failureMetadata { metadataEntries { label ... on TextMetadataEntry { text } } } }
  ... on ExecutionStepOutputEvent { metadataEntries { label
    ... on TableMetadataEntry { table { records } } ... on IntMetadataEntry { intValue } } }
} } } }"""


def runs(ui: Ui, job: str, status: str) -> list[Any]:
    found = ui.query(RUNS)["runsOrError"]["results"]
    return [run for run in found if (run["jobName"], run["status"]) == (job, status)]


def events(ui: Ui, run: Any, kind: str) -> list[Any]:
    found = ui.query(EVENTS, id=run["runId"])["logsForRun"]["events"]
    return [event for event in found if event["__typename"] == kind]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def test_the_page_says_why_and_what_to_do_and_that_works(tmp_path: Path, receiver: Receiver) -> None:
    home, folder = tmp_path / "home", tmp_path / "folder"
    home.mkdir()
    folder.mkdir()
    ingest = Ingest(home, (("INGEST_FEW_JOBS", str(FEW)), ("INGEST_ALERT_WEBHOOK_URL", receiver.url)))
    paths = [folder / f"canary {number}.pdf" for number in range(FEW + 2)]
    for number, path in enumerate(paths):
        path.write_bytes(b"%PDF-1.4 truncated" + b"%" * number)
    with ingest.up() as ui:
        submitted = ingest("submit", folder, "--wait", "--json").json
        assert {result["code"] for result in submitted} == {"corrupt"}
        commands = {f"ingest submit --document {result['document_id']}" for result in submitted}

        [drain] = until(lambda: runs(ui, "drain_queue", "SUCCESS"))
        [output] = [each for each in events(ui, drain, "ExecutionStepOutputEvent") if each["metadataEntries"]]
        [table] = [entry["table"] for entry in output["metadataEntries"] if "table" in entry]
        assert {json.loads(record)["command"] for record in table["records"]} == commands
        warned = [each for each in events(ui, drain, "LogMessageEvent") if each["level"] == "WARNING"]
        assert {each["message"].partition("Command: ")[2] for each in warned} == commands

        shown = until(lambda: runs(ui, "ingest_document", "FAILURE"))[0]
        [failure] = events(ui, shown, "ExecutionStepFailureEvent")
        [end] = events(ui, shown, "RunFailureEvent")
        assert failure["error"]["message"].startswith("corrupt: The document is damaged and cannot be read.")
        assert (failure["error"]["stack"], failure["error"]["causes"]) == ([], [])
        assert end["error"] is None or end["error"]["stack"] == []
        told = {entry["label"]: entry.get("text") for entry in failure["failureMetadata"]["metadataEntries"]}
        assert told["command"] in commands

        [alert] = until(lambda: list(receiver.received))
        assert (alert["code"], alert["fix"]) == ("corrupt", "ingest submit --code corrupt")
        assert not Canary("canary").is_in(str(alert))

        for number, path in enumerate(paths):
            path.write_bytes(pdf(f"The insurer pays for item {number}."))
        [cause] = ingest("status", "--failed", "--json").json
        landed = ingest(*cause["fix"].split()[1:], "--wait", "--json").json
        assert [(each["status"], each["state"]) for each in landed] == [("new_version", "done")] * len(paths)
