"""The processes that faults strike, found as they appear."""

from collections.abc import Callable
from contextlib import suppress

import psycopg

from ingest_assets_tests.faults.harness.deployment import tree
from ingest_assets_tests.faults.harness.deployment.patient import Patient

RUN_PROCESSES = """
SELECT DISTINCT (regexp_match(event, 'pid: (\\d+)'))[1]::integer AS pid
FROM runs JOIN event_logs USING (run_id)
WHERE runs.status IN ('STARTING', 'STARTED') AND (runs.pipeline_name = 'drain_queue') = %(drains)s
    AND event LIKE '%%pid: %%'"""

HOLDS_WORK = """
SELECT EXISTS (
    SELECT FROM upload_pipeline.upload_jobs WHERE state = 'working' AND (claimed_by NOT LIKE 'run-%%') = %(drains)s
) AS holds"""

Target = Callable[[Patient], list[int]]


def role(name: str) -> Target:
    """Find the processes of one role."""
    return lambda _: tree.with_role(name)


def up(patient: Patient) -> list[int]:
    return [patient.up.pid] if patient.up.pid is not None and patient.up.ui is not None else []


def drain_workers(patient: Patient) -> list[int]:
    """Return the processes of drain runs, once one of them holds documents."""
    return _run_workers(patient, drains=True)


def partition_workers(patient: Patient) -> list[int]:
    return _run_workers(patient, drains=False)


def database_and_supervisor(_: Patient) -> list[int]:
    """Return the supervisor first: otherwise it restarts the server."""
    supervisors, servers = tree.with_role("database_supervisor"), _roots(tree.with_role("postmaster"))
    return [*supervisors, *servers] if supervisors and servers else []


def postmaster(_: Patient) -> list[int]:
    return _roots(tree.with_role("postmaster"))


def backend(patient: Patient) -> list[int]:
    """Return the server's processes for clients that are at work."""
    with suppress(psycopg.Error):
        rows = patient.database.try_rows(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            " AND application_name <> 'fault harness' AND state <> 'idle'"
        )
        return [int(row["pid"]) for row in rows]
    return []


def _run_workers(patient: Patient, *, drains: bool) -> list[int]:
    with suppress(psycopg.Error):
        if not patient.database.try_rows(HOLDS_WORK, drains=drains)[0]["holds"]:
            return []
        told = patient.database.try_rows(RUN_PROCESSES, database="dagster", drains=drains)
        running = set(tree.with_role("run_worker"))
        return [row["pid"] for row in told if row["pid"] in running]
    return []


def _roots(pids: list[int]) -> list[int]:
    """Leave out the ones that another of them has just forked."""
    return pids[:1]
