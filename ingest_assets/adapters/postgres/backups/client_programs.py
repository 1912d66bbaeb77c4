"""PostgreSQL's own programs: which of them fit a server, and how they run."""

import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ingest_assets.adapters.postgres.sessions import with_network_limits
from ingest_assets.domain.errors import PermanentError
from ingest_assets.posix.parent_death import following

NAMES = ("pg_dump", "pg_restore", "psql")
PASSED_ON = re.compile(r"PG[A-Z]+|PATH|HOME|LD_LIBRARY_PATH|SSL_CERT_(FILE|DIR)")
"""What the programs get of the environment: how to reach the server, and no secrets of other services."""
SECRETS = ("password", "sslpassword")
"""What stands in no command line, which others on the machine can read."""


@dataclass(frozen=True, slots=True)
class ClientPrograms:
    """`pg_dump`, `pg_restore` and `psql` of one release."""

    folder: Path
    major: int

    def popen(self, name: str, *arguments: str, url: str | None = None, **options: Any) -> subprocess.Popen[bytes]:
        """Start a program, which ends with this process; with a URL, it connects there."""
        session = [] if url is None else ["--no-password", f"--dbname={_without_secrets(url)}"]
        command = following([str(self.folder / name), *arguments, *session])
        return subprocess.Popen(command, env=_environment(url), **options)


def fitting_programs(folders: Iterable[Path], needed: int) -> ClientPrograms:
    """Return the first programs that are not older than what they have to do with.

    Raises:
        PermanentError: client_programs_missing.
    """
    for folder in folders:
        versions = [_version_of(folder / name) for name in NAMES]
        if min(versions) >= needed:
            return ClientPrograms(folder, min(versions))
    raise PermanentError("client_programs_missing", needed=needed)


def _version_of(program: Path) -> int:
    """Return a program's major version; 0 if it does not run."""
    try:
        ran = subprocess.run([program, "--version"], capture_output=True, env=_environment(None), check=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return 0
    found = re.search(r"\(PostgreSQL\) (\d+)", ran.stdout)
    return int(found[1]) if found else 0


def _without_secrets(url: str) -> str:
    names = conninfo_to_dict(with_network_limits(url))
    return make_conninfo("", **{name: value for name, value in names.items() if name not in SECRETS})


def _environment(url: str | None) -> dict[str, str]:
    passed = {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)} | {"LC_ALL": "C"}
    password = conninfo_to_dict(url).get("password") if url is not None else None
    return passed | ({"PGPASSWORD": str(password)} if password else {})


def errors_of(output: bytes) -> Sequence[str]:
    """Return the states of errors that psql has printed, which says nothing else of them."""
    return re.findall(r"\b(?:ERROR|FATAL|PANIC): +([0-9A-Z]{5})\b", output.decode(errors="replace"))
