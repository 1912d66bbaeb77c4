"""Redis, where it is installed: the broker of a test's cluster."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis, RedisError

from ingest_assets_tests.waiting import until

REDIS = shutil.which("redis-server", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
needs_redis = pytest.mark.skipif(REDIS is None, reason="redis-server is not installed: no cluster was tried")


@contextmanager
def broker(folder: Path) -> Iterator[str]:
    """Yield the URL of a Redis that opens no port. Its folder's path must be short, as sockets' paths are."""
    assert REDIS is not None
    folder.mkdir(exist_ok=True, parents=True)
    socket = folder / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", "", "--appendonly", "no"]
    server = subprocess.Popen([REDIS, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: answers(socket))
        yield f"redis+socket://{socket}"
    finally:
        server.terminate()
        server.wait()


def answers(socket: Path) -> bool:
    try:
        with Redis(unix_socket_path=str(socket)) as client:
            return bool(client.ping())
    except RedisError:
        return False
