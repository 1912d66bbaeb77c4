"""A worker: it takes runs from the broker and forks a process for each, in which everything is imported already."""

import gc
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import get_context
from typing import Any, NoReturn

from celery import Celery, bootsteps, signals
from celery.exceptions import Reject
from celery.worker import state
from celery.worker.consumer.consumer import CONNECTION_ERROR
from celery.worker.control import inspect_command
from dagster_celery.make_app import make_app

from ingest_assets.orchestration.cluster.broker import CONFIGURATION, EXECUTE_RUN, QUEUES, RUNS, queue_of_lane
from ingest_assets.orchestration.cluster.execution import execute_run
from ingest_assets.orchestration.dagster_internals import install
from ingest_assets.orchestration.warm_launcher.preload import Preloaded
from ingest_assets.posix.guarded_process import reword
from ingest_assets.posix.parent_death import end_with_parent

_LOGGER = logging.getLogger(__name__)
STOPPING = get_context("fork").Event()
"""Whether this worker has been told to stop; its forked processes see it too."""


def work(name: str, slots: int, lanes: Sequence[str], broker_url: str, definitions: str) -> NoReturn:
    """Execute runs until a signal stops this process; then interrupt the runs, which give back their documents.

    Args:
        name: The worker's name, which no other one has.
        slots: How many runs it executes at a time.
        lanes: The only lanes whose runs it executes, or nothing for runs of all kinds.
        broker_url: Where it gets them from.
        definitions: The module that Dagster loads.
    """
    install()
    app = make_app({"broker": broker_url, "config_source": CONFIGURATION})  # type: ignore[no-untyped-call]

    @app.task(name=EXECUTE_RUN)  # type: ignore[untyped-decorator]
    def execute(run_id: str) -> None:
        _execute(name, run_id)

    reword(CONNECTION_ERROR, "The broker does not answer; this worker tries again until it does.")
    app.steps["consumer"].add(BrokerAnswers)
    queues = list(map(queue_of_lane, lanes)) or QUEUES
    inspect_command(name=RUNS)(lambda control: _tell_runs(control, queues))
    main = os.getpid()
    signals.worker_process_init.connect(lambda **_: end_with_parent(signal.SIGTERM, main), weak=False)
    signals.worker_ready.connect(lambda **_: _announce(name, slots, lanes), weak=False)
    signals.worker_shutting_down.connect(_stop, weak=False)
    Preloaded(definitions)
    gc.collect()
    gc.freeze()  # pages that the collector never touches stay shared with the forked processes
    _serve(app, name, slots, queues)


class BrokerAnswers(bootsteps.StartStopStep):  # type: ignore[misc]
    """Says that the broker answers again; of the first time, the worker's announcement tells."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, consumer: Any) -> None:
        if consumer.restart_count:
            _LOGGER.warning("The broker answers again.")


def _serve(app: Celery, name: str, slots: int, queues: Sequence[str]) -> NoReturn:
    options = [f"--hostname=ingest@{name}", f"--concurrency={slots}", f"--queues={','.join(queues)}"]
    options += ["--loglevel=WARNING", "--max-tasks-per-child=1"]
    app.worker_main(["--quiet", "worker", *options, "--pool=prefork", "--without-gossip", "--without-mingle"])
    raise SystemExit(0)


def _execute(name: str, run_id: str) -> None:
    if STOPPING.is_set():
        raise Reject(requeue=True)
    execute_run(run_id, name)


def _tell_runs(control: Any, queues: Sequence[str]) -> dict[str, Any]:
    requests = {*state.reserved_requests, *state.active_requests}
    slots = control.consumer.controller.concurrency
    return {"slots": slots, "queues": list(queues), "runs": [request.id for request in requests]}


def _stop(**_: Any) -> None:
    STOPPING.set()
    for request in list(state.active_requests):
        with suppress(ProcessLookupError):  # it may just have ended
            os.kill(request.worker_pid, signal.SIGTERM)


def _announce(name: str, slots: int, lanes: Sequence[str]) -> None:
    told = {"worker": name, "slots": slots, "lanes": list(lanes), "pid": os.getpid()}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
