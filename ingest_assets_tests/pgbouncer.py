"""PgBouncer, where it is installed: a pooler between a test and its database."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from ingest_assets_tests.waiting import until

PGBOUNCER = shutil.which("pgbouncer", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
needs_pgbouncer = pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is not installed: no pooler was tried")
PORT = 6432
"""The name of a socket within a folder: no port is opened."""
AS_NOBODY = ("unshare", "--user", "--map-user=65534", "--map-group=65534", "--")
"""PgBouncer refuses to be root."""
CONFIGURATION = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
unix_socket_dir = {folder}
listen_port = {listen_port}
listen_addr =
auth_type = any
pool_mode = {mode}
default_pool_size = {sessions}
max_client_conn = 400
server_idle_timeout = 60
logfile = {folder}/log
pidfile = {folder}/pid
"""


@contextmanager
def pooled(server_url: str, folder: Path, mode: str = "transaction", sessions: int = 6) -> Iterator[str]:
    """Yield the URL of the same database behind a pooler that has a few sessions of the server for all clients."""
    assert PGBOUNCER is not None
    server = conninfo_to_dict(server_url)
    folder.mkdir(exist_ok=True, parents=True)
    named = {name: server[name] for name in ("host", "user")}
    configuration = folder / "pgbouncer.ini"
    told = CONFIGURATION.format(
        **named, port=server.get("port", 5432), folder=folder, mode=mode, sessions=sessions, listen_port=PORT
    )
    configuration.write_text(told)
    disguise = AS_NOBODY if os.getuid() == 0 else ()
    pooler = subprocess.Popen(
        [*disguise, PGBOUNCER, "-q", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"postgresql://{server['user']}@:{PORT}/{quote(str(server['dbname']))}?host={folder}"
    try:
        until(lambda: answers(url))
        yield url
    finally:
        pooler.terminate()
        pooler.wait()


def answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True
