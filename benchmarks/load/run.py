"""Runs a load against a deployment of its own, and gathers what was seen."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any

import psycopg

from benchmarks.deployments import Home, fresh_home, wait_until
from benchmarks.load.callers import Outcome, read_outcomes, write_documents
from benchmarks.load.plan import LoadPlan
from benchmarks.load.unsure_providers import FOLDER, Providers, ProvidersSeen, unsure_providers
from benchmarks.load.usage import Usage, watched_usage
from benchmarks.load.verification import HELD, PROGRESS, WRITTEN, Ending, endings
from benchmarks.queue_state import wait_for_empty_queue

SECRET = "a secret of this load test, thirty-two bytes or more"  # noqa: S105
PROGRESS_SECONDS = 30.0
QUEUE_END_SECONDS = 1_800.0


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything from which the figures are made. Times are in seconds since 1970."""

    plan: LoadPlan
    begun: float
    """When the first document was due."""
    outcomes: list[Outcome]
    endings: dict[str, Ending]
    providers: ProvidersSeen
    usage: Usage
    held: Mapping[str, Any]
    written: Mapping[str, float]
    """To the database's log within the time of which figures are taken: bytes and commits."""
    queue_ended: float
    harness_cpu: float

    @property
    def window(self) -> tuple[float, float]:
        """When figures began and ended to be taken."""
        return self.begun + self.plan.warm_up, self.begun + self.plan.seconds


def run_load(plan: LoadPlan, database_url: str | None = None, **settings: str) -> Seen:
    """Raises TimeoutError where the queue does not end."""
    with fresh_home(database_url) as home:
        print(f"Writing documents for {plan.seconds:.0f} s of load …", flush=True)
        documents = write_documents(plan, home.folder)
        print(f"{documents} documents. Starting a deployment and its providers …", flush=True)
        with unsure_providers(plan) as providers:
            gathered = _loaded(home, plan, providers, settings)
        assert providers.seen is not None
        return Seen(providers=providers.seen, **gathered)


def _loaded(home: Home, plan: LoadPlan, providers: Providers, settings: Mapping[str, str]) -> dict[str, Any]:
    environment = {"INGEST_JWT_SECRET": SECRET, **providers.environment, **settings}
    with (
        home.up(**environment) as (pid, _),
        home.serving("serve", "--port", "0", **environment) as (serve, announced),
        _calling(home, plan, announced["url"]) as callers,
        watched_usage(_roots(home, deployment=pid, serve=serve, providers=providers.pid, callers=callers.pid)) as usage,
    ):
        wait_until((home.folder / "begun").exists, "the callers' begin", seconds=60, every=0.05)
        begun = float((home.folder / "begun").read_text())
        cpu = time.process_time()
        _follow(home, begun, begun + plan.warm_up)
        before = home.row(WRITTEN)
        _follow(home, begun, begun + plan.seconds)
        after = home.row(WRITTEN)
        cpu = time.process_time() - cpu
        assert callers.wait() == 0, "the callers failed"
        ended = wait_for_empty_queue(home, QUEUE_END_SECONDS)
        return {
            "plan": plan,
            "begun": begun,
            "outcomes": read_outcomes(home.folder),
            "endings": endings(home),
            "usage": usage,
            "held": home.row(HELD),
            "written": {name: after[name] - before[name] for name in after},
            "queue_ended": ended,
            "harness_cpu": cpu,
        }


@contextmanager
def _calling(home: Home, plan: LoadPlan, url: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "benchmarks.load.callers", url, str(home.folder), json.dumps(asdict(plan))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True, cwd=FOLDER) as process:
        assert process.stdin is not None
        process.stdin.write(f"{SECRET}\n")
        process.stdin.close()
        try:
            yield process
        finally:
            process.terminate()


def _roots(home: Home, **roots: int) -> dict[str, int]:
    """Return them with the database's process, if it runs on this machine and may be asked."""
    with suppress(OSError, psycopg.Error):
        return {**roots, "postgres": home.postmaster}
    return roots


def _follow(home: Home, begun: float, until: float) -> None:
    """Print how far the load is, until then."""
    while (left := until - time.time()) > 0:
        time.sleep(min(PROGRESS_SECONDS, left))
        queue = home.row(PROGRESS)
        waiting = queue["accepted"] - queue["done"] - queue["working"] - queue["dead"]
        print(
            f"{time.time() - begun:5.0f} s: {queue['accepted']} documents accepted, {queue['done']} searchable, "
            f"{queue['working']} with workers, {waiting} waiting, {queue['dead']} in the dead letters",
            flush=True,
        )
