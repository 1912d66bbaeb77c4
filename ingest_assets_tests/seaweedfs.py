"""SeaweedFS, where it is installed (`make servers`): a server of buckets on 127.0.0.1."""

import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from ingest_assets_tests.waiting import until

WEED = Path(__file__).parents[1] / ".venv" / "servers" / "bin" / "weed"
needs_seaweedfs = pytest.mark.skipif(
    not WEED.exists(), reason="SeaweedFS is not installed (`make servers`): no bucket was tried"
)
KEY, SECRET, BUCKET = "emulated", "emulated-secret", "claims"
PORTS = [
    f"{service}.{kind}" for service in ("master", "volume", "filer", "s3", "admin") for kind in ("port", "port.grpc")
]
QUIET = ("-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false")


@dataclass(frozen=True)
class SeaweedFS:
    endpoint: str

    @property
    def settings(self) -> dict[str, str]:
        """What a client needs to know of it."""
        return {
            "endpoint": self.endpoint,
            "access_key_id": KEY,
            "secret_access_key": SECRET,
            "region": "us-east-1",
        }

    @property
    def environment(self) -> dict[str, str]:
        """The variables of AWS with which its bucket is used."""
        keys = {name: value for name, value in self.settings.items() if name != "endpoint"}
        return {f"AWS_{name.upper()}": value for name, value in {**keys, "endpoint_url": self.endpoint}.items()}


@contextmanager
def seaweedfs(folder: Path) -> Iterator[SeaweedFS]:
    """Yield a server that keeps its objects in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command_of(folder, "127.0.0.1", ports), env=keys_of(folder), cwd=folder, stdout=log, stderr=log
        )
    server = SeaweedFS(f"http://127.0.0.1:{ports['s3.port']}")
    try:
        until(lambda: process.poll() is not None or f"created bucket {BUCKET}" in (folder / "log").read_text())
        assert httpx.get(server.endpoint).status_code == 403
        yield server
    finally:
        process.kill()  # it would take its time, and nobody needs what it holds
        process.wait()


def command_of(folder: Path, address: str, ports: Mapping[str, int]) -> list[str]:
    return [
        *(str(WEED), "-logtostderr", "mini", f"-dir={folder}", f"-bucket={BUCKET}"),
        *(f"-ip={address}", f"-ip.bind={address}", *QUIET),
        *(f"-{name}={port}" for name, port in ports.items()),
    ]


def keys_of(folder: Path) -> dict[str, str]:
    """Return the server's environment."""
    return {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "PATH": os.environ["PATH"], "HOME": str(folder)}


def free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]
