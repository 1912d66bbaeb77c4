"""A deployment on hosts of its own: what all share, a control plane and workers, with those who use it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import LiteralString

from ingest_assets_tests.cluster.network import Host, network
from ingest_assets_tests.cluster.programs import ControlPlane, Worker
from ingest_assets_tests.cluster.providers import distant_providers
from ingest_assets_tests.cluster.servers import DatabaseServer, RabbitServer, RedisServer, StoreServer
from ingest_assets_tests.faults.harness.deployment.database import ONLOOKER, Onlooker
from ingest_assets_tests.faults.harness.deployment.patient import Clients
from ingest_assets_tests.faults.harness.documents.library import Library
from ingest_assets_tests.system.ingest import Ingest
from ingest_assets_tests.waiting import until

SERVERS, CONTROL = Host("servers", 2), Host("control", 3)
WORKERS = (Host("worker-1", 11), Host("worker-2", 12))
BROKERS = {broker.name: broker for broker in (RedisServer, RabbitServer)}
LIVE_RUNS = """
SELECT runs.run_id, status, coalesce(value, '') AS worker
FROM runs LEFT JOIN run_tags ON run_tags.run_id = runs.run_id AND key = 'ingest/worker'
WHERE status IN ('QUEUED', 'NOT_STARTED', 'STARTING', 'STARTED', 'CANCELING')"""
WORKERS_SINCE: LiteralString = """
SELECT DISTINCT value AS worker FROM run_tags JOIN runs USING (run_id)
WHERE key = 'ingest/worker' AND runs.start_time > %(since)s"""
RUNS_SINCE: LiteralString = """
SELECT status, count(*) AS runs,
    max(start_time - extract(epoch FROM create_timestamp AT TIME ZONE 'UTC')::float) AS waited
FROM runs WHERE create_timestamp AT TIME ZONE 'UTC' > to_timestamp(%(since)s) GROUP BY status ORDER BY status"""
CALLING = """
SELECT count(*) AS jobs FROM upload_pipeline.upload_jobs
WHERE state = 'working' AND stage IN ('parsing', 'embedding')"""


@dataclass(frozen=True, slots=True)
class Plan:
    """How the deployment is set up."""

    broker: str = "redis"
    lease_seconds: int = 8
    provider_seconds: float = 0.2
    slots: int = 1
    in_flight: int = 4
    parses: int = 4
    embeddings: int = 1

    @property
    def settings(self) -> dict[str, str]:
        told = {
            "LEASE_SECONDS": self.lease_seconds,
            "DRAIN_WORKERS": len(WORKERS) * self.slots,
            "DRAIN_IN_FLIGHT": self.in_flight,
            "PARSES_IN_FLIGHT": self.parses,
            "EMBEDDINGS_IN_FLIGHT": self.embeddings,
            "DRAIN_IDLE_SECONDS": 2,
            "FEW_JOBS": len(WORKERS),
            "SENSOR_SECONDS": 1,
            "BREAKER_OPEN_SECONDS": 5,
            "OCR_LANGUAGES": "none",
        }
        return {f"INGEST_{name}": str(value) for name, value in told.items()}


class RemoteOnlooker(Onlooker):
    """Asks a database on the network."""

    def __init__(self, server: DatabaseServer) -> None:
        super().__init__(server.folder)
        self._remote = server

    def url(self, database: str = "ingest") -> str:
        return f"{self._remote.url(database)}&application_name={ONLOOKER.replace(' ', '%20')}"


@dataclass(frozen=True, slots=True)
class LiveRun:
    run_id: str
    status: str
    worker: str
    """Who executes it, or nothing."""


@dataclass
class Site:
    plan: Plan
    clients: Clients
    database: DatabaseServer
    broker: RedisServer | RabbitServer
    store: StoreServer
    control: ControlPlane
    workers: list[Worker]

    def live_runs(self) -> list[LiveRun]:
        """Return the runs that Dagster shows as not ended."""
        return [LiveRun(**row) for row in self.clients.database.rows(LIVE_RUNS, database="dagster")]

    def run_at_work(self) -> tuple[LiveRun, Worker]:
        """Return a run that has begun, and its worker, once providers are at work for documents."""

        def look() -> tuple[LiveRun, Worker] | None:
            by_name = {worker.name: worker for worker in self.workers if worker.told()}
            found = [run for run in self.live_runs() if run.status == "STARTED" and run.worker in by_name]
            calling = found and self.clients.database.value(CALLING)
            return (found[0], by_name[found[0].worker]) if calling else None

        run: tuple[LiveRun, Worker] = until(look)
        return run

    def workers_since(self, since: float) -> set[str]:
        """Return the workers that have executed runs which came after a moment."""
        found = self.clients.database.rows(WORKERS_SINCE, database="dagster", since=since)
        return {row["worker"] for row in found}

    def runs_since(self, since: float) -> str:
        """Return, in words, how runs have ended that came after a moment, and how long they waited to begin."""
        found = self.clients.database.rows(RUNS_SINCE, database="dagster", since=since)
        return ", ".join(f"{row['runs']} {row['status']} (waited {row['waited'] or 0:.0f} s)" for row in found)

    def ended_at(self, run_id: str) -> float | None:
        """Return when Dagster says that the run ended, in seconds since 1970."""
        ended: LiteralString = "SELECT end_time FROM runs WHERE run_id = %(run_id)s"
        [row] = self.clients.database.rows(ended, database="dagster", run_id=run_id)
        return None if row["end_time"] is None else float(row["end_time"])

    def status_of(self, run_id: str) -> str:
        status: LiteralString = "SELECT status FROM runs WHERE run_id = %(run_id)s"
        [row] = self.clients.database.rows(status, database="dagster", run_id=run_id)
        return str(row["status"])


@contextmanager
def site(plan: Plan, folder: Path, seed: int) -> Iterator[Site]:
    """Yield a deployment whose servers and control plane run, and whose workers have yet to start."""
    with ExitStack() as stack:
        stack.enter_context(network(SERVERS, CONTROL, *WORKERS))
        services = stack.enter_context(distant_providers(plan.provider_seconds))
        database = DatabaseServer(SERVERS, folder / "database")
        broker = BROKERS[plan.broker](SERVERS, folder / "broker")
        store = StoreServer(SERVERS, folder / "store")
        for server in (database, broker, store):
            server.start()
        shared = _shared_settings(plan, database, broker, store) | services.environment
        control = ControlPlane(CONTROL, folder / CONTROL.name, shared)
        workers = [Worker(host, folder / host.name, shared, plan.slots) for host in WORKERS]
        clients = Clients(
            folder / "clients",
            timedelta(seconds=plan.lease_seconds),
            Ingest(folder / "clients", tuple(shared.items())),
            RemoteOnlooker(database),
            services,
            Library(folder / "documents", Random(f"library {seed}")),  # noqa: S311  documents from a seed
        )
        control.start()
        control.wait()
        yield Site(plan, clients, database, broker, store, control, workers)


def _shared_settings(
    plan: Plan, database: DatabaseServer, broker: RedisServer | RabbitServer, store: StoreServer
) -> dict[str, str]:
    places = {
        "INGEST_DATABASE_URL": database.url(),
        "INGEST_BROKER_URL": broker.url,
        "INGEST_STORAGE_URL": store.url,
    }
    return plan.settings | places | store.seaweedfs.environment
