"""One document, from the call of the intake in a warm process until its job is embedded/done, polled every 10 ms.

On an idle deployment, at random moments of the sensor's loop; and while a drain run lives.
"""

import random
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

from benchmarks.dagster_page import DagsterPage
from benchmarks.deployments import Home, fresh_home, wait_until
from benchmarks.documents import write_documents
from benchmarks.figures import Figures
from benchmarks.intake import intake_of
from benchmarks.queue_state import UNFINISHED
from benchmarks.sizes import Sizes

POLL_SECONDS = 0.01
LOOP_SECONDS = 5.0
"""Of Dagster's sensor daemon."""
PAUSE_SECONDS = (0.2, 2.0)
"""Between documents while a drain run lives: shorter than it waits for more."""
BACKLOG = 20
"""Enough for the sensor to start a drain run."""

STATE = "SELECT state FROM upload_pipeline.upload_jobs WHERE job_id = %(job_id)s"


def measure(sizes: Sizes) -> Iterator[Figures]:
    chance = random.Random(5)
    with fresh_home() as home:
        paths = write_documents(home.folder / "documents", sizes.idle_latencies + sizes.live_latencies + BACKLOG + 1)
        with home.up() as (_, page):
            _seconds_to_searchable(home, paths.pop())
            idle = [_on_idle(home, page, paths.pop(), chance) for _ in range(sizes.idle_latencies)]
            _start_drain_run(home, page, [paths.pop() for _ in range(BACKLOG)])
            live = [_beside_drain_run(home, path, chance) for path in paths]
            assert page.runs(pipelineName="drain_queue", statuses=["STARTED"]), "the drain run ended too early"
    yield _summary("cold", idle) | _summary("warm", live)


def _on_idle(home: Home, page: DagsterPage, path: Path, chance: random.Random) -> float:
    wait_until(page.is_idle, "an idle deployment", seconds=180, every=0.25)
    time.sleep(chance.uniform(0, LOOP_SECONDS))
    return _seconds_to_searchable(home, path)


def _start_drain_run(home: Home, page: DagsterPage, paths: list[Path]) -> None:
    wait_until(page.is_idle, "an idle deployment", seconds=180, every=0.25)
    for path in paths:
        intake_of(home).file(path)
    wait_until(lambda: page.runs(pipelineName="drain_queue", statuses=["STARTED"]), "a drain run", every=0.25)
    wait_until(lambda: not home.row(UNFINISHED)["found"], "the end of the queue", every=0.25)


def _beside_drain_run(home: Home, path: Path, chance: random.Random) -> float:
    time.sleep(chance.uniform(*PAUSE_SECONDS))
    return _seconds_to_searchable(home, path)


def _seconds_to_searchable(home: Home, path: Path) -> float:
    begun = time.perf_counter()
    job_id = intake_of(home).file(path).job_id
    wait_until(
        lambda: home.row(STATE, job_id=job_id)["state"] == "done", "the document", seconds=180, every=POLL_SECONDS
    )
    return time.perf_counter() - begun


def _summary(kind: str, seconds: list[float]) -> Figures:
    *_, ninth = quantiles(seconds, n=10, method="inclusive")
    [_, middle, _] = quantiles(seconds, n=4, method="inclusive")
    extremes = {f"latency_{kind}_min_s": min(seconds), f"latency_{kind}_max_s": max(seconds)}
    return {f"latency_{kind}_p50_s": middle, f"latency_{kind}_p90_s": ninth} | extremes
