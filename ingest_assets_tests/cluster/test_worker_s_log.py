"""What a worker says of its broker."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest_assets_tests.redis_broker import broker, needs_redis
from ingest_assets_tests.waiting import until

AWAY = "The broker does not answer; this worker tries again until it does."
AGAIN = "The broker answers again."

pytestmark = [needs_redis, pytest.mark.timeout(300)]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path is short enough for sockets."""
    made = Path(tempfile.mkdtemp(dir="/tmp"))
    yield made
    shutil.rmtree(made)


@contextmanager
def worker(url: str, home: Path, log: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "ingest_assets.orchestration.cluster", "one", "1", "ingest_assets.definitions"]
    environment = os.environ | {"INGEST_BROKER_URL": url, "INGEST_HOME": str(home), "DAGSTER_HOME": str(home)}
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
        try:
            yield
        finally:
            process.terminate()
            process.wait(60)


def test_a_worker_says_that_its_broker_is_away_and_when_it_is_back(folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with worker(f"redis+socket://{folder}/redis.sock", tmp_path, log):
        until(lambda: AWAY in log.read_text())
        with broker(folder):
            until(lambda: '"worker": "one"' in log.read_text())
        assert AGAIN not in log.read_text()
        until(lambda: log.read_text().count(AWAY) > 1)
        with broker(folder):
            until(lambda: AGAIN in log.read_text())
