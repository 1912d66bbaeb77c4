"""Dagster as a first version would use it: one run per document, through the daemon and its default launcher."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.chunk_rows import make_bare_table
from benchmarks.deployments import Home, fresh_home, wait_until
from benchmarks.documents import write_documents
from benchmarks.figures import Figures
from benchmarks.sizes import Sizes
from ingest_assets.adapters.postgres.database import connected
from ingest_assets.adapters.postgres.migrations import migrate
from ingest_assets.posix.processes import running
from ingest_assets.settings import sqlalchemy_url

DAGSTER_DAEMON = Path(sys.executable).parent / "dagster-daemon"

INSTANCE = """
storage: {postgres: {postgres_url: {env: NAIVE_DAGSTER_URL}}}
run_coordinator:
  module: dagster.core.run_coordinator
  class: QueuedRunCoordinator
  config: {dequeue_interval_seconds: 1, dequeue_use_threads: true}
concurrency: {runs: {max_concurrent_runs: 4}}
telemetry: {enabled: false}
"""
"""As the deployment's own, but with Dagster's launcher."""

RUNS = """SELECT count(*) FILTER (WHERE status = 'SUCCESS') AS done,
    count(*) FILTER (WHERE status = 'FAILURE') AS failed,
    max(end_time) - min(extract(epoch FROM create_timestamp AT TIME ZONE 'UTC'))::float AS seconds FROM runs"""


def measure(sizes: Sizes) -> Iterator[Figures]:
    with fresh_home() as home:
        write_documents(home.folder / "documents", sizes.naive_documents)
        url, dagster_url = home.make_database("naive"), home.make_database("naive_dagster")
        migrate(url)
        with connected(url) as connection:
            make_bare_table(connection)
        environment = {
            "DAGSTER_HOME": str(_dagster_home(home)),
            "NAIVE_DAGSTER_URL": sqlalchemy_url(dagster_url),
            "NAIVE_URL": url,
            "NAIVE_DOCUMENTS": str(home.folder / "documents"),
        }
        with _daemon(home, environment) as daemon:
            seconds = _seconds_of_runs(daemon, dagster_url, sizes.naive_documents)
        yield {
            "naive_dagster_docs_per_s": sizes.naive_documents / seconds,
            "naive_dagster_s_per_run": seconds / sizes.naive_documents,
        }


def _dagster_home(home: Home) -> Path:
    folder = home.folder / "naive dagster"
    folder.mkdir()
    (folder / "dagster.yaml").write_text(INSTANCE)
    return folder


@contextmanager
def _daemon(home: Home, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Its instance's tables are made first: daemon and code server would make them at once."""
    settings = ["env", *(f"{name}={value}" for name, value in environment.items())]
    make = "import dagster; dagster.DagsterInstance.get().dispose()"
    subprocess.run([*settings, sys.executable, "-c", make], check=True, stderr=subprocess.DEVNULL)
    command = [*settings, str(DAGSTER_DAEMON), "run", "-m", "benchmarks.naive_dagster"]
    with running(home.folder / "naive logs") as processes:
        yield processes.start("dagster-daemon", command)


def _seconds_of_runs(daemon: subprocess.Popen[bytes], dagster_url: str, documents: int) -> float:
    """From the first run's creation to the last one's end."""
    with connected(dagster_url) as connection:

        def ended() -> bool:
            assert daemon.poll() is None, "the naive pipeline's daemon stopped"
            row = connection.execute(RUNS).fetchone()
            assert row is not None
            assert row["failed"] == 0, "a run of the naive pipeline failed"
            return bool(row["done"] == documents)

        wait_until(ended, "the end of the naive runs", seconds=300 + 30 * documents, every=0.25)
        row = connection.execute(RUNS).fetchone()
    assert row is not None
    return float(row["seconds"])
