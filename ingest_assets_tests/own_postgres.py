"""Postgres servers of a test's own, as somebody else would set them up: another release, superuser or configuration."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from ingest_assets.adapters.embedded_postgres.installation import PACKAGE, find_installation
from ingest_assets_tests.pgbouncer import AS_NOBODY, answers
from ingest_assets_tests.waiting import until

Release = Literal["pginstall", "pginstall18"]
SIXTEEN: Release = "pginstall"
EIGHTEEN: Release = "pginstall18"
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "off",
    "shared_buffers": "32MB",
    "max_connections": "100",
    "hot_standby": "on",
    "log_min_messages": "warning",
}


@dataclass(frozen=True, slots=True)
class OwnPostgres:
    """A running server; its socket is in `folder`, whose path must be short."""

    folder: Path
    superuser: str
    release: Release

    def url(self, database: str = "postgres", user: str | None = None) -> str:
        return f"postgresql://{user or self.superuser}@:5432/{quote(database, safe='')}?host={self.folder}"


@contextmanager
def own_postgres(
    folder: Path,
    *,
    superuser: str = "postgres",
    release: Release = EIGHTEEN,
    settings: Mapping[str, str] | None = None,
) -> Iterator[OwnPostgres]:
    """Yield a new server, with the data in the folder."""
    data = folder / "data"
    access = [f"--username={superuser}", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    run_program(release, "initdb", "-D", str(data), *access)
    with serving(OwnPostgres(folder, superuser, release), data, settings or {}) as server:
        yield server


@contextmanager
def serving(server: OwnPostgres, data: Path, settings: Mapping[str, str]) -> Iterator[OwnPostgres]:
    """Yield a server once it answers, on data that is there already."""
    told = {**SETTINGS, "unix_socket_directories": str(server.folder), **settings}
    options = [word for name, value in told.items() for word in ("-c", f"{name}={value}")]
    with (server.folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [*disguise(), program(server.release, "postgres"), "-D", str(data), *options], stdout=log, stderr=log
        )
    try:
        until(lambda: process.poll() is not None or answers(server.url()))
        assert process.poll() is None, (server.folder / "log").read_text()
        yield server
    finally:
        process.terminate()  # a fast one would be SIGINT, but sessions are over by now
        process.send_signal(2)
        process.wait()


@contextmanager
def following(server: OwnPostgres, folder: Path) -> Iterator[OwnPostgres]:
    """Yield a streaming replica of a server."""
    source = ["-h", str(server.folder), "-U", server.superuser]
    run_program(server.release, "pg_basebackup", *source, "-D", str(folder / "data"), "-R", "--checkpoint=fast")
    with serving(OwnPostgres(folder, server.superuser, server.release), folder / "data", {}) as replica:
        yield replica


def run_program(release: Release, name: str, *arguments: str) -> None:
    """Run one of the release's programs."""
    subprocess.run([*disguise(), program(release, name), *arguments], check=True, capture_output=True)


def program(release: Release, name: str) -> str:
    return str(find_installation().folder / PACKAGE / release / "bin" / name)


def disguise() -> tuple[str, ...]:
    """Return the words before a command that must not be root's."""
    return AS_NOBODY if os.getuid() == 0 else ()
