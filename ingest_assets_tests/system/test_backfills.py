"""Runs that a person starts in the UI, while the queue works: each is a process that the warm launcher forks."""

import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from ingest_assets_tests.documents import policy_text
from ingest_assets_tests.orchestration.runs import NAMES
from ingest_assets_tests.system.ingest import Ingest, Ui
from ingest_assets_tests.system.test_deployment import (
    BACKFILL,
    BACKFILL_STATUS,
    ENDED,
    RUN,
    SELECTOR,
    launch,
    partitions,
)
from ingest_assets_tests.waiting import until

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="the warm launcher is for Linux"),
]

LAUNCH = """mutation Launch($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""

LOG = """query Log($id: ID!) { logsForRun(runId: $id) {
  ... on EventConnection { events { ... on EngineEvent { message } } } } }"""

TERMINATE = """mutation Terminate($id: String!) { terminatePipelineExecution(runId: $id) { __typename } }"""

IDLE = {"ops": {"drain_documents": {"config": {"idle_seconds": 600.0}}}}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def ingest(home: Path) -> Ingest:
    return Ingest(home)


@pytest.fixture(scope="module")
def ui(ingest: Ingest, home: Path) -> Iterator[Ui]:
    with ingest.up() as running:
        until((home / "ingest" / "dagster" / "warm_launcher").exists)
        yield running
    assert processes(home) == {}


def processes(home: Path, word: str = "") -> dict[int, str]:
    """The command lines of this deployment's processes in which `word` occurs."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if f"INGEST_HOME={home}/ingest\0".encode() in environment and word in command:
            found[int(folder.name)] = command
    return found


def warm_server(home: Path) -> int:
    """The one that the others were forked from."""

    def found() -> int | None:
        forked = processes(home, "-m ingest_assets.orchestration.warm_launcher")
        return next((each for each in forked if parent_of(each) not in [*forked, None]), None)

    return int(until(found))


def parent_of(process: int) -> int | None:
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def process_of(ui: Ui, run_id: str) -> int:
    """That executes the run, as its log tells."""
    events = ui.query(LOG, id=run_id)["logsForRun"]["events"]
    told = [re.search(r"Started process for run \(pid: (\d+)\)", event.get("message", "")) for event in events]
    return next(int(each[1]) for each in told if each)


def start_drain(ui: Ui) -> str:
    """A run that waits for work for as long as nobody stops it."""
    params = {"selector": SELECTOR | {"jobName": "drain_queue"}, "mode": "default", "runConfigData": IDLE}
    launched = ui.query(LAUNCH, params=params)["launchPipelineExecution"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run_id = str(launched["run"]["runId"])
    until(lambda: status(ui, run_id) == "STARTED")
    return run_id


def status(ui: Ui, run_id: str) -> str:
    return str(ui.query(RUN, id=run_id)["runOrError"]["status"])


def end(ui: Ui, run_id: str) -> str:
    until(lambda: status(ui, run_id) in ENDED)
    return status(ui, run_id)


def submit(ingest: Ingest, folder: Path, count: int) -> list[str]:
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.md").write_text(policy_text(f"{folder.name} {number}", 3))
    submitted = ingest("submit", folder, "--user", str(uuid4()), "--wait", "--json")
    assert submitted.code == 0, submitted.stderr
    return [each["document_id"] for each in submitted.json]


def test_a_backfill_tells_the_truth_of_each_partition_and_does_not_hold_up_the_queue(
    ingest: Ingest, ui: Ui, home: Path, tmp_path: Path
) -> None:
    ids = submit(ingest, tmp_path / "Old", 8)
    until(lambda: set(ids) <= partitions(ui, "materialized"))
    poisoned = ids[5]
    for stored in (home / "ingest" / "objects").rglob(poisoned + "/*"):
        stored.write_bytes(b"damaged")
    params = {"partitionNames": ids, "assetSelection": [{"path": [name]} for name in NAMES]}
    launched = ui.query(BACKFILL, params=params)["launchPartitionBackfill"]
    [new] = submit(ingest, tmp_path / "New", 1)
    assert ingest("status", new, "--json").json["searchable"]

    def ended() -> str | None:
        told = str(ui.query(BACKFILL_STATUS, id=launched["backfillId"])["partitionBackfillOrError"]["status"])
        return told if told.startswith("COMPLETED") else None

    assert until(ended) == "COMPLETED_FAILED"
    assert partitions(ui, "failed", "parsed_markdown") == {poisoned}
    assert set(ids) - {poisoned} <= partitions(ui, "materialized")


def test_a_run_is_terminated_from_the_page(ui: Ui, home: Path) -> None:
    run_id = start_drain(ui)
    process = process_of(ui, run_id)
    assert parent_of(process) == warm_server(home)
    terminated = ui.query(TERMINATE, id=run_id)["terminatePipelineExecution"]["__typename"]
    assert terminated == "TerminateRunSuccess"
    assert end(ui, run_id) != "FAILURE"
    until(lambda: process not in processes(home))


def test_a_run_whose_process_is_killed_is_shown_as_failed(ui: Ui) -> None:
    run_id = start_drain(ui)
    os.kill(process_of(ui, run_id), signal.SIGKILL)
    assert end(ui, run_id) == "FAILURE"


def test_runs_go_on_while_a_killed_warm_server_comes_back(ingest: Ingest, ui: Ui, home: Path, tmp_path: Path) -> None:
    [document_id] = submit(ingest, tmp_path / "Kept", 1)
    run_id = start_drain(ui)
    server = warm_server(home)
    os.kill(server, signal.SIGKILL)
    assert end(ui, run_id) == "FAILURE"
    assert launch(ui, document_id, NAMES) == "SUCCESS"
    assert until(lambda: warm_server(home)) != server
    assert launch(ui, document_id, NAMES) == "SUCCESS"
