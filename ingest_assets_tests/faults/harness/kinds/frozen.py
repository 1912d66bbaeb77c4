"""Processes that stop without ending, beyond the lease, and then go on."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from random import Random

from ingest_assets_tests.faults.harness.deployment.patient import Patient
from ingest_assets_tests.faults.harness.documents.library import Paper
from ingest_assets_tests.faults.harness.kinds import targets
from ingest_assets_tests.faults.harness.kinds.connections import waiting_for
from ingest_assets_tests.faults.harness.kinds.fault import Act, Fault, Struck, Work, await_target, lasting
from ingest_assets_tests.faults.harness.kinds.targets import Target

BEYOND_LEASE = 2.5
"""As many leases."""
SUBMIT_SECONDS = 20
"""No command may wait longer for a lock that a frozen worker holds."""


@contextmanager
def stopped(pids: list[int]) -> Iterator[None]:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def freeze(target: Target) -> Act:
    def act(patient: Patient, chance: Random) -> Struck:
        await_target(lambda: target(patient))
        time.sleep(chance.uniform(0, 1))
        found, begun = await_target(lambda: target(patient)), time.time()
        with stopped(found):
            time.sleep(BEYOND_LEASE * patient.lease.total_seconds())
        return lasting(f"{len(found)} processes for {time.time() - begun:.0f} s", begun)

    return act


def freeze_in_transaction(patient: Patient, chance: Random) -> Struck:
    """Freeze the drain workers while one of them holds row locks, and submit a new version meanwhile."""
    found = await_target(lambda: targets.drain_workers(patient))
    with ExitStack() as freezing:
        with patient.database.connection() as connection, connection.transaction(force_rollback=True):
            connection.execute("LOCK TABLE upload_pipeline.document_chunks IN ACCESS EXCLUSIVE MODE")
            await_target(lambda: waiting_for(connection), 5)
            begun = time.time()
            freezing.enter_context(stopped(found))
        end = time.monotonic() + BEYOND_LEASE * patient.lease.total_seconds()
        for paper in _held(patient):
            patient.library.write_version(paper)
        patient.submit_pending(timeout=SUBMIT_SECONDS)
        time.sleep(max(0.0, end - time.monotonic()))
    return lasting(f"{len(found)} processes for {time.time() - begun:.0f} s", begun)


def _held(patient: Patient) -> list[Paper]:
    """Return one of the documents that drain workers hold."""
    rows = patient.database.rows("SELECT document_id FROM upload_pipeline.upload_jobs WHERE state = 'working'")
    held = {row["document_id"] for row in rows}
    return [paper for paper in patient.library.good() if paper.document_id in held][:1]


FROZEN = (
    Fault("freeze drain worker", freeze(targets.drain_workers)),
    Fault("freeze partition worker", freeze(targets.partition_workers), Work.FEW),
    Fault("freeze parser", freeze(targets.role("parser")), Work.FILES),
    Fault("freeze daemon", freeze(targets.role("daemon")), Work.FEW),
    Fault("freeze warm launcher", freeze(targets.role("launcher")), Work.FEW),
    Fault("freeze code server", freeze(targets.role("code_server")), Work.FEW),
    Fault("freeze postmaster", freeze(targets.postmaster), Work.FEW),
    Fault("freeze backend", freeze(targets.backend), Work.BACKLOG),
    Fault("freeze drain worker in a transaction", freeze_in_transaction),
)
