"""What the hosts of a cluster share: a database, a broker and an object store, each of which can go and come back."""

import os
import shutil
import signal
import socket
import subprocess
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

import httpx
import psycopg
from redis import Redis, RedisError

from ingest_assets.adapters.embedded_postgres.cluster import Cluster
from ingest_assets.adapters.embedded_postgres.placement import place_cluster
from ingest_assets_tests.cluster.network import Host
from ingest_assets_tests.redis_broker import REDIS
from ingest_assets_tests.seaweedfs import BUCKET, PORTS, SeaweedFS, command_of, keys_of
from ingest_assets_tests.waiting import until

START_SECONDS = 60
STOP_SECONDS = 30
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
RABBITMQ_SETTINGS = """loopback_users = none
listeners.tcp.1 = {address}:5672
vm_memory_high_watermark.absolute = 256MB
"""
FRAME_OF_METHOD = b"\x01"
"""How AMQP's first answer begins, if the server accepts the version of the protocol."""


@dataclass
class Server(ABC):
    """A server in a process of its own on a host."""

    host: Host
    folder: Path
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    def start(self) -> None:
        """Return once it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.folder.with_suffix(".log").open("ab") as log:
            self.process = subprocess.Popen(
                self.host.command(*self.command()),
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
            )
        until(self.answers, START_SECONDS)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Return once it has ended."""
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(STOP_SECONDS)

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def answers(self) -> bool: ...

    def environment(self) -> dict[str, str]:
        return {"PATH": f"{os.environ['PATH']}:/usr/sbin", "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}


@dataclass
class DatabaseServer(Server):
    """The embedded server's programs, on the network."""

    _cluster: Cluster = field(init=False)

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        placed = place_cluster(self.folder / "cluster")
        prefix = (*self.host.command(), *placed.identity.prefix)
        self._cluster = replace(placed, identity=replace(placed.identity, prefix=prefix))
        with (self.folder / "initdb.log").open("ab") as log:
            self._cluster.prepare(log.fileno())
        self._let_in()
        super().start()

    def _let_in(self) -> None:
        """Let all hosts of the network in; it has no other ones."""
        access = self._cluster.data / "pg_hba.conf"
        access.write_text("local all all trust\nhost all all samenet trust\n")

    def command(self) -> list[str]:
        network = ["-c", f"listen_addresses={self.host.address}"]
        return [*self._cluster.command[len(self.host.command()) :], *network]

    def url(self, database: str = "ingest") -> str:
        return f"postgresql://postgres@{self.host.address}:5432/{quote(database)}?sslmode=disable"

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@dataclass
class RedisServer(Server):
    """Redis, which writes each change to a file, as `docs/cluster.md` advises."""

    name = "redis"
    missing = None if REDIS else "redis-server is not installed"

    @property
    def url(self) -> str:
        return f"redis://{self.host.address}:6379/0"

    def command(self) -> list[str]:
        kept = ["--dir", str(self.folder), "--save", "", "--appendonly", "yes"]
        return [str(REDIS), "--bind", self.host.address, "--protected-mode", "no", *kept]

    def answers(self) -> bool:
        try:
            with Redis.from_url(self.url, socket_timeout=2) as client:
                return bool(client.ping())
        except RedisError:
            return False


@dataclass
class RabbitServer(Server):
    """RabbitMQ."""

    name = "rabbitmq"
    missing = None if RABBITMQ.exists() and shutil.which("erl") else "rabbitmq-server is not installed"

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@{self.host.address}:5672//"

    def command(self) -> list[str]:
        (self.folder / "rabbitmq.conf").write_text(RABBITMQ_SETTINGS.format(address=self.host.address))
        (self.folder / "enabled_plugins").write_text("[].\n")
        return [str(RABBITMQ)]

    def environment(self) -> dict[str, str]:
        told = {
            "NODENAME": "rabbit@localhost",
            "MNESIA_BASE": self.folder / "mnesia",
            "LOG_BASE": self.folder / "log",
            "CONFIG_FILE": self.folder / "rabbitmq.conf",
            "ENABLED_PLUGINS_FILE": self.folder / "enabled_plugins",
        }
        return super().environment() | {f"RABBITMQ_{name}": str(value) for name, value in told.items()}

    def answers(self) -> bool:
        try:
            with socket.create_connection((self.host.address, 5672), timeout=2) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return connection.recv(1) == FRAME_OF_METHOD
        except OSError:
            return False


@dataclass
class StoreServer(Server):
    """SeaweedFS with one bucket."""

    @property
    def seaweedfs(self) -> SeaweedFS:
        return SeaweedFS(f"http://{self.host.address}:{self._ports['s3.port']}")

    @property
    def url(self) -> str:
        return f"s3://{BUCKET}"

    @property
    def _ports(self) -> dict[str, int]:
        services = {name: 21000 + number for number, name in enumerate(PORTS) if not name.endswith(".grpc")}
        return services | {f"{name}.grpc": port + 10_000 for name, port in services.items()}

    def command(self) -> list[str]:
        return command_of(self.folder, self.host.address, self._ports)

    def environment(self) -> dict[str, str]:
        return super().environment() | keys_of(self.folder)

    def answers(self) -> bool:
        log = self.folder.with_suffix(".log").read_text(errors="replace")
        if f"created bucket {BUCKET}" not in log:
            return False
        try:
            return httpx.get(self.seaweedfs.endpoint, timeout=2).status_code == httpx.codes.FORBIDDEN
        except httpx.HTTPError:
            return False
