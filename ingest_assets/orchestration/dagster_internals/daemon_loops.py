"""How often Dagster's daemon looks whether there is something to do, where its own pauses are too long.

The pauses are in modules that only the daemon has loaded; other processes need not load them.
"""

import sys
import time
from typing import Any

SENSORS = "dagster._daemon.sensor"
SENSOR_SECONDS = 1
CONTROLLER = "dagster._daemon.controller"
COORDINATOR = "dagster._daemon.run_coordinator.queued_run_coordinator_daemon"
CODE_SERVER_SECONDS = 10
"""How long a code server lives at least before its death is noticed."""


def look_every_second() -> None:
    """In the daemon, look every second whether a sensor is due, instead of every five.

    Half of what a document waits for on an idle deployment would be this loop.
    """
    module = sys.modules.get(SENSORS)
    if module is not None:
        vars(module)["MIN_INTERVAL_LOOP_TIME"] = SENSOR_SECONDS


def replace_dead_code_servers() -> None:
    """In the daemon, replace a code server that has died within seconds, instead of within a minute.

    The controller looks after everything else every five seconds. One that keeps dying is replaced less often. Calling
    this again changes nothing more.
    """
    module = sys.modules.get(CONTROLLER)
    if module is None or hasattr(module.DagsterDaemonController, "usual_check"):
        return
    usual, interval = module.DagsterDaemonController.check_workspace_freshness, module.RELOAD_WORKSPACE_INTERVAL

    def check(controller: Any, updated_at: float) -> float:
        if time.time() - updated_at > CODE_SERVER_SECONDS and _has_dead_server(controller):
            updated_at = min(updated_at, time.time() - interval - 1)
        return float(usual(controller, updated_at))

    module.DagsterDaemonController.usual_check = usual
    module.DagsterDaemonController.check_workspace_freshness = check


def launch_what_there_is_room_for() -> None:
    """In the daemon, leave runs queued for which a launcher that knows its room has none.

    Calling this again changes nothing more.
    """
    module = sys.modules.get(COORDINATOR)
    if module is None or hasattr(module.QueuedRunCoordinatorDaemon, "usual_choice"):
        return
    usual = module.QueuedRunCoordinatorDaemon._get_runs_to_dequeue  # noqa: SLF001

    def choose(coordinator: Any, instance: Any, *arguments: Any, **named: Any) -> list[Any]:
        runs = usual(coordinator, instance, *arguments, **named)
        launchable = getattr(instance.run_launcher, "launchable", None)
        return list(runs if launchable is None or not runs else launchable(runs))

    module.QueuedRunCoordinatorDaemon.usual_choice = usual
    module.QueuedRunCoordinatorDaemon._get_runs_to_dequeue = choose  # noqa: SLF001


def _has_dead_server(controller: Any) -> bool:
    registry = getattr(controller, "_grpc_server_registry", None)
    entries = tuple(getattr(registry, "_active_entries", {}).values())
    processes = [entry.process.server_process for entry in entries if hasattr(entry, "process")]
    return any(process.poll() is not None for process in processes)
