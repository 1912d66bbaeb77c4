"""Whether work goes on: the queue, Dagster's daemon, its sensors and schedules, the port of its page, and the disk."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ingest_assets.cli.doctor.check import Check, examined
from ingest_assets.cli.flow import last_look, lines_of
from ingest_assets.cli.ports import is_free, next_free
from ingest_assets.cli.upkeep import HOST
from ingest_assets.composition import Deployment
from ingest_assets.domain.queue.flow import UNATTENDED_AFTER, Verdict, verdict_on
from ingest_assets.domain.spans import span
from ingest_assets.posix.locks import try_exclusive

if TYPE_CHECKING:
    from ingest_assets.orchestration.instance import Instance

SILENT_AFTER = UNATTENDED_AFTER
"""The daemon leaves a heartbeat every 30 seconds; a queue that nobody looks at has its cause named at once."""
LEAST_FREE_BYTES = 1 << 30
START = "Start it: `ingest up`"
RESTART = (
    "It is started again by itself, after INGEST_SILENCE_SECONDS at the latest. To have the queue worked on meanwhile: "
    "`ingest drain`. If it stays silent, stop `ingest up` with Ctrl-C and begin anew: `ingest up`. What it said is in "
    "dagster/logs/dagster-daemon.log below INGEST_HOME."
)
SWITCH_ON = "They were switched off by hand in Dagster's page. Switch them on again: `ingest resume`"
WORK = "Have the queue worked on, here: `ingest drain`, or from now on: `ingest up`"
WORK_HERE = "`ingest up` runs; what is wrong stands in dagster/logs below INGEST_HOME. Meanwhile: `ingest drain`"

FREE_SPACE = "Free some space; the work then resumes by itself. To see what takes it: `du -xkd 3 {} | sort -n | tail`"


def work_checks(deployment: Deployment) -> Iterator[Check]:
    """Check whether documents flow and, if they do not, what keeps them."""
    queue = examined("queue", lambda: _queue(deployment))
    causes = [
        examined("Dagster's daemon", lambda: _daemon(deployment)),
        examined("sensors and schedules", lambda: _automation(deployment)),
    ]
    yield queue if all(each.ok for each in causes) else replace(queue, hint=None)
    yield from causes
    yield examined("port of the page", lambda: _port(deployment))
    yield examined("disk", lambda: _disk(deployment))


def _queue(deployment: Deployment) -> Check:
    flow, pauses = deployment.flows.flow(), deployment.pauses.all()
    hint = WORK_HERE if _up_runs(deployment) else WORK
    moves = verdict_on(flow, pauses) is not Verdict.UNATTENDED
    waiting = flow.waiting + flow.abandoned
    told = " ".join(lines_of(flow, pauses)) if moves else f"Nobody works on {waiting} that wait: {last_look(flow)}."
    return Check("queue", moves, told, None if moves else "queue_unattended", None if moves else hint)


def _daemon(deployment: Deployment) -> Check:
    name = "Dagster's daemon"
    with instance_of(deployment) as instance:
        beats = [each.timestamp for each in instance.get_daemon_heartbeats().values()]
    silence = timedelta(seconds=time.time() - max(beats)) if beats else None
    if silence is not None and silence < SILENT_AFTER:
        return Check(name, True, f"at work, last heard of {span(silence)} ago")
    heard = "never heard of" if silence is None else f"last heard of {span(silence)} ago"
    if _up_runs(deployment):
        return Check(name, False, f"silent: {heard}, although `ingest up` runs.", "daemon_silent", RESTART)
    if deployment.flows.flow().waiting == 0:
        return Check(name, True, "does not run, and nothing waits for it")
    return Check(name, False, f"does not run ({heard}).", "daemon_silent", START)


def _automation(deployment: Deployment) -> Check:
    from ingest_assets.orchestration.automation import switched_off

    with instance_of(deployment) as instance:
        names = switched_off(instance)
    if not names:
        return Check("sensors and schedules", True, "all are on")
    return Check("sensors and schedules", False, f"switched off: {', '.join(names)}.", "switched_off", SWITCH_ON)


def _port(deployment: Deployment) -> Check:
    name, port = "port of the page", deployment.settings.ui_port
    if _up_runs(deployment):
        return Check(name, True, "`ingest up` runs")
    if is_free(HOST, port):
        return Check(name, True, f"{port} is free")
    other = next_free(HOST, port + 1)
    is_chosen = "ui_port" in deployment.settings.model_fields_set
    told = f"another program listens on {HOST}:{port}"
    if not is_chosen:
        return Check(name, True, f"{told}; `ingest up` takes {other}")
    return Check(name, False, f"{told}.", "port_in_use", f"Use another one: `ingest up --port {other}`")


def _disk(deployment: Deployment) -> Check:
    usage = shutil.disk_usage(deployment.settings.home_folder)
    told = f"{_gigabytes(usage.free)} GB of {_gigabytes(usage.total)} GB are free below INGEST_HOME"
    if usage.free >= LEAST_FREE_BYTES:
        return Check("disk", True, told)
    return Check("disk", False, f"{told}.", "storage_full", FREE_SPACE.format(deployment.settings.home_folder))


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f}"


def _up_runs(deployment: Deployment) -> bool:
    lock = try_exclusive(deployment.settings.home_folder / "up.lock")
    if lock is None:
        return True
    lock.release()
    return False


@contextmanager
def instance_of(deployment: Deployment) -> Iterator["Instance"]:
    """Yield Dagster's instance, if its database answers."""
    from ingest_assets.orchestration.instance import prepare_instance

    deployment.dagster_diagnosis.answers()
    with prepare_instance(deployment.settings.dagster_home, deployment.dagster_database_url) as instance:
        yield instance
