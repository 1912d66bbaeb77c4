"""Whether the long-lived processes of Dagster answer."""

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from ingest_assets.orchestration.dagster_internals.code_servers import code_server_answers, socket_in
from ingest_assets.orchestration.warm_launcher.requests import Request, ask
from ingest_assets.orchestration.warm_launcher.sockets import socket_path
from ingest_assets.posix.children import commands_of_children

HEARTBEAT_SECONDS = 30
"""How often the daemon leaves a heartbeat."""
ANSWER_SECONDS = 5


class Heartbeats:
    """Notices whether the daemon has left a heartbeat since it was asked before; clocks need not agree."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._last: float | None = self._newest()

    def answers(self, process: int) -> bool | None:  # noqa: ARG002  heartbeats do not name processes
        """Return whether there is a new heartbeat, or None if the database cannot be asked."""
        try:
            newest = self._newest()
        except Exception:  # the driver's errors are many, and all say the same here
            return None
        is_new, self._last = newest != self._last, newest
        return is_new

    def _newest(self) -> float | None:
        return max((each.timestamp for each in self._instance.get_daemon_heartbeats().values()), default=None)


def page_answers(url: str, process: int) -> bool:
    """Return whether Dagster's page and its code server answer."""
    try:
        with urllib.request.urlopen(f"{url}/server_info", timeout=ANSWER_SECONDS) as answer:  # noqa: S310  our own address
            if answer.status != 200:  # noqa: PLR2004
                return False
    except OSError:
        return False
    children = commands_of_children(process)
    return children is None or any(map(code_server_answers, _sockets_of_code_servers(children)))


def launcher_answers(dagster_home: Path) -> bool:
    """Return whether the warm launcher answers."""
    try:
        ask(socket_path(dagster_home), Request("find", ""))
    except OSError:
        return False
    return True


def _sockets_of_code_servers(commands: list[list[str]]) -> Iterator[str]:
    for command in commands:
        socket = socket_in(command)
        if socket is not None:
            yield socket
