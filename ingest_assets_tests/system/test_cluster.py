"""A control plane and two workers with homes of their own, as on three hosts: one database, one store, one broker."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any
from uuid import uuid4

import pytest
from psycopg.conninfo import conninfo_to_dict

from ingest_assets.composition import Deployment
from ingest_assets.settings import sibling_database
from ingest_assets_tests.conftest import settings_for
from ingest_assets_tests.documents import policy_text
from ingest_assets_tests.emulators.openai import KEY, OpenAIEmulator
from ingest_assets_tests.emulators.server import Reply, Request
from ingest_assets_tests.redis_broker import broker, needs_redis
from ingest_assets_tests.scans import as_pdf, typed
from ingest_assets_tests.system.ingest import INGEST, TIMEOUT, Ingest, Ui
from ingest_assets_tests.waiting import until

pytestmark = needs_redis
LEASE_SECONDS = 6
FIRST, REST = 2, 10
"""How many documents get a run each, one on each host, and how many more come when one host is dead."""
TERMINATE = "mutation T($id: String!) { terminateRun(runId: $id) { __typename } }"
RUNS = "{ runsOrError { ... on Runs { results { runId status jobName tags { key value } } } } }"


class Gate(OpenAIEmulator):
    """Embeds as soon as the gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = Event()

    def answer(self, request: Request) -> Reply:
        self.opened.wait(TIMEOUT)
        return super().answer(request)


@dataclass
class Host:
    """A worker in a session of its own."""

    process: subprocess.Popen[str]
    name: str = ""

    def wait(self) -> None:
        """Until it is ready."""
        assert self.process.stdout is not None
        self.name = json.loads(self.process.stdout.readline())["worker"]

    def kill(self) -> None:
        """End all its processes at once, as a power cut does."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def gate() -> Iterator[Gate]:
    with Gate() as service:
        yield service
        service.opened.set()


@pytest.fixture
def control(gate: Gate, empty_database_url: str, database_url: str, tmp_path: Path) -> Iterator[Ingest]:
    (tmp_path / "store").mkdir()
    with TemporaryDirectory(prefix="redis-") as short, broker(Path(short)) as url:
        for_dagster = sibling_database(database_url, str(conninfo_to_dict(empty_database_url)["dbname"]))
        names = {
            "BROKER_URL": url,
            "DATABASE_URL": database_url,
            "DAGSTER_DATABASE_URL": for_dagster,
            "STORAGE_URL": (tmp_path / "store").as_uri(),
            "USER_ID": str(uuid4()),
            "LEASE_SECONDS": str(LEASE_SECONDS),
            "FEW_JOBS": str(FIRST),
            "DRAIN_IDLE_SECONDS": "1",
        }
        settings = {f"INGEST_{name}": value for name, value in names.items()}
        settings |= {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": gate.base_url}
        yield Ingest(tmp_path / "control", tuple(settings.items()))


@contextmanager
def worker(control: Ingest, home: Path, *options: str) -> Iterator[Host]:
    process = subprocess.Popen(
        [INGEST, "worker", "--slots", "1", *options],
        env=Ingest(home, control.extra).environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield Host(process)
    finally:
        process.terminate()
        process.communicate(timeout=TIMEOUT)


def runs(ui: Ui, *statuses: str) -> list[dict[str, Any]]:
    found = ui.query(RUNS)["runsOrError"]["results"]
    return [run for run in found if run["status"] in statuses]


def worker_of(run: dict[str, Any]) -> str | None:
    return tag_of(run, "ingest/worker")


def tag_of(run: dict[str, Any], name: str) -> str | None:
    return next((tag["value"] for tag in run["tags"] if tag["key"] == name), None)


def run_of(host: Host, ui: Ui) -> str:
    """The run that it executes."""
    [run_id] = ids([run for run in runs(ui, "STARTED") if worker_of(run) == host.name])
    return run_id


def ids(found: list[dict[str, Any]]) -> set[str]:
    return {run["runId"] for run in found}


def terminate(ui: Ui, run_id: str) -> None:
    assert ui.query(TERMINATE, id=run_id)["terminateRun"]["__typename"] == "TerminateRunSuccess"


def submit(control: Ingest, folder: Path, count: int) -> None:
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.md").write_text(policy_text(f"Subject {number} of {folder.name}"))
    assert control("submit", folder, "--json").code == 0


def test_two_hosts_share_the_runs_and_when_one_dies_nothing_is_lost_and_no_run_stays_started(
    control: Ingest, gate: Gate, database_url: str, tmp_path: Path
) -> None:
    with (
        control.up() as ui,
        worker(control, tmp_path / "one") as one,
        worker(control, tmp_path / "two") as two,
        closing(Deployment(settings_for(database_url, tmp_path / "reader"))) as reader,
    ):
        submit(control, tmp_path / "first", FIRST)
        one.wait()
        two.wait()
        until(lambda: {worker_of(run) for run in runs(ui, "STARTED")} == {one.name, two.name})
        lost, stopped = (run_of(host, ui) for host in (one, two))
        one.kill()
        terminate(ui, stopped)
        submit(control, tmp_path / "rest", REST)
        gate.opened.set()
        until(lambda: reader.documents.by_stage_and_state() == {"embedded/done": FIRST + REST})
        until(lambda: (lost in ids(runs(ui, "FAILURE"))) and (stopped in ids(runs(ui, "CANCELED"))))
        until(lambda: not runs(ui, "QUEUED", "STARTING", "STARTED", "CANCELING"))
        assert {worker_of(run) for run in runs(ui, "SUCCESS")} == {two.name}


def workers_check(control: Ingest) -> dict[str, Any]:
    [check] = [dict(each) for each in control("doctor", "--json").json if each["check"] == "workers"]
    return check


def test_hosts_choose_their_lanes_and_only_the_host_for_recognition_recognises(
    control: Ingest, gate: Gate, database_url: str, tmp_path: Path
) -> None:
    gate.opened.set()
    laned = replace(control, extra=(*control.extra, ("INGEST_LANES", "true"), ("INGEST_DRAIN_WORKERS", "3")))
    with ExitStack() as stack:
        ui = stack.enter_context(laned.up())
        reader = stack.enter_context(closing(Deployment(settings_for(database_url, tmp_path / "reader"))))
        two = stack.enter_context(worker(laned, tmp_path / "two", "--lanes", "ocr"))
        two.wait()
        slots = "answering: 1, slots: 1 (no lane 0, parse 0, ocr 1, embed 0)"
        assert workers_check(laned)["detail"] == f"{slots}; runs that nobody takes: no lane, parse, embed"
        one = stack.enter_context(worker(laned, tmp_path / "one", "--lanes", "parse,embed"))
        one.wait()
        submit(laned, tmp_path / "policies", REST)
        (tmp_path / "policies" / "scan.pdf").write_bytes(as_pdf(typed(["The windscreen is covered."])))
        assert laned("submit", tmp_path / "policies", "--json").code == 0
        until(lambda: reader.documents.by_stage_and_state() == {"embedded/done": REST + 1})
        until(lambda: not runs(ui, "QUEUED", "STARTING", "STARTED", "CANCELING"))
        executed = {(tag_of(run, "ingest/lane"), worker_of(run)) for run in runs(ui, "SUCCESS")}
        assert executed == {("parse", one.name), ("ocr", two.name), ("embed", one.name)}
    with worker(laned, tmp_path / "one") as undivided:
        undivided.wait()
        assert workers_check(laned)["ok"]
