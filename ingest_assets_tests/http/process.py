"""`ingest serve` in a process of its own, and what may be sent to it byte by byte."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from ingest_assets_tests.http.api import SECRET, token_of
from ingest_assets_tests.system.ingest import INGEST


@dataclass
class Served:
    """A running service."""

    url: str
    process: subprocess.Popen[str]
    messages: str = ""
    """What it said on stderr, once it has ended."""

    def connect(self, seconds: float = 60) -> socket.socket:
        address = urlsplit(self.url)
        return socket.create_connection((address.hostname or "", address.port or 0), timeout=seconds)

    def is_alive(self, seconds: float = 60) -> bool:
        """Ask as an honest client does, on a connection of its own."""
        return httpx.get(f"{self.url}/healthz", timeout=seconds, trust_env=False).status_code == 200

    def submit(self, user: object, content: bytes, filename: str, **headers: str) -> httpx.Response:
        return httpx.post(
            f"{self.url}/v1/documents",
            params={"filename": filename},
            content=content,
            headers={"Authorization": f"Bearer {token_of(user)}", **headers},
            timeout=120,
            trust_env=False,
        )

    @property
    def peak_memory(self) -> int:
        """The most bytes that were ever resident."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        [kilobytes] = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(kilobytes) * 1024


def is_over(connection: socket.socket) -> bool:
    """Wait until the service ends the connection; what it still says is read."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


@contextmanager
def serve(database_url: str, folder: Path, **environment: str) -> Iterator[Served]:
    """Run `ingest serve` with these variables until the end, and stop it as a supervisor does."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "INGEST_HOME": str(folder / "home"),
        "INGEST_DATABASE_URL": database_url,
        "INGEST_JWT_SECRET": SECRET,
        **environment,
    }
    command = [str(INGEST), "serve", "--port", "0", "--json"]
    messages = folder / "messages"
    with (
        messages.open("w") as stderr,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True) as process,
    ):
        try:
            served = Served(_announced(process, messages), process)
            yield served
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            finally:
                process.kill()
    served.messages = messages.read_text()


def _announced(process: subprocess.Popen[str], messages: Path) -> str:
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line == "}\n":
            return str(json.loads("".join(lines))["url"])
    raise AssertionError(messages.read_text())
