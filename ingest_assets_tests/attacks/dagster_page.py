"""Dagster's own page, served behind its access control, and requests to it as browsers and attackers send them."""

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import dagster as dg
import uvicorn
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import EmptyWorkspaceTarget
from dagster_webserver.app import create_app_from_workspace_process_context
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from ingest_assets.orchestration.page.access import AccessControl
from ingest_assets_tests.waiting import until

CHANGE = 'mutation { setConcurrencyLimit(concurrencyKey: "forged", limit: 1) { __typename } }'
QUERY = "{ version }"
SECONDS = 60


@dataclass(frozen=True)
class Page:
    """A page that listens on a port of its own."""

    instance: dg.DagsterInstance
    port: int

    @property
    def is_changed(self) -> bool:
        return "forged" in self.instance.event_log_storage.get_concurrency_keys()

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def get(self, operation: str, **headers: str) -> tuple[int, str]:
        return self.ask("GET", f"/graphql?{urlencode({'query': operation})}", **headers)

    def post(self, operation: str, **headers: str) -> tuple[int, str]:
        return self.ask(
            "POST", "/graphql", json.dumps({"query": operation}), **{"Content_Type": "application/json", **headers}
        )

    def subscribe(self, operation: str, **headers: str) -> int:
        """Send an operation over a WebSocket, and return the status of the handshake."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        origin: Any = named.pop("Origin", None)
        try:
            with connect(
                f"ws://127.0.0.1:{self.port}/graphql",
                origin=origin,
                additional_headers=named,
                subprotocols=[*map(_subprotocol, ["graphql-ws"])],
                open_timeout=SECONDS,
            ) as socket:
                socket.send(json.dumps({"type": "connection_init"}))
                socket.send(json.dumps({"type": "start", "id": "1", "payload": {"query": operation}}))
                for _ in range(2):
                    socket.recv(SECONDS)
        except InvalidStatus as refused:
            return refused.response.status_code
        return 101


def _subprotocol(name: str) -> Any:
    return name


@contextmanager
def served(instance: dg.DagsterInstance, **access: Any) -> Iterator[Page]:
    """Serve the page of an instance in a thread."""
    with WorkspaceProcessContext(instance, workspace_load_target=EmptyWorkspaceTarget()) as workspace:
        page = AccessControl(create_app_from_workspace_process_context(workspace), **access)
        server = uvicorn.Server(uvicorn.Config(page, port=0, log_level="critical"))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            until(lambda: server.started)
            yield Page(instance, server.servers[0].sockets[0].getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()


def password_file(folder: Path, password: str) -> Path:
    file = folder / "password"
    file.write_text(f"{password}\n")
    return file


def browser(**fetch_metadata: str) -> Mapping[str, str]:
    """Return the headers in which a browser says whence a request comes."""
    return {f"Sec_Fetch_{name.capitalize()}": value for name, value in fetch_metadata.items()}
