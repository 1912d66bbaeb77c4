"""What comes in between: deletions, new versions, a tick cut between claim and launch, a clock that jumps."""

import os
import shutil
import signal
import time
from contextlib import suppress
from random import Random

import psycopg

from ingest_assets_tests.faults.harness.deployment import tree
from ingest_assets_tests.faults.harness.deployment.patient import Patient
from ingest_assets_tests.faults.harness.documents.library import Paper
from ingest_assets_tests.faults.harness.kinds.fault import (
    Act,
    Fault,
    NoTargetError,
    Struck,
    Work,
    at_once,
    await_target,
)

CLAIMED_FOR_A_RUN = """
SELECT claimed_by FROM upload_pipeline.upload_jobs WHERE state = 'working' AND claimed_by LIKE 'run-%%'"""
WORKING = "SELECT document_id FROM upload_pipeline.upload_jobs WHERE state = 'working'"


def paper_in_work(patient: Patient) -> Paper:
    """Return a good document that a worker holds.

    Raises:
        NoTargetError: There is none.
    """

    def look() -> Paper | None:
        with suppress(psycopg.Error):
            held = {row["document_id"] for row in patient.database.try_rows(WORKING)}
            return next((paper for paper in patient.library.good() if paper.document_id in held), None)
        return None

    return await_target(look)


def delete_in_flight(patient: Patient, chance: Random) -> Struck:
    paper = paper_in_work(patient)
    begun = time.time()
    patient.delete(paper)
    return Struck(f"document {paper.number}", begun, time.time())


def new_version_in_flight(patient: Patient, chance: Random) -> Struck:
    paper = paper_in_work(patient)
    begun = time.time()
    patient.library.write_version(paper)
    patient.submit_pending()
    return Struck(f"document {paper.number}", begun, time.time())


def kill_deletion(patient: Patient, chance: Random) -> Struck:
    """Kill `ingest delete` in the middle; its owner tries again later."""
    papers = [paper for paper in patient.library.good() if paper.document_id is not None]
    if not papers:
        raise NoTargetError
    paper = chance.choice(papers)
    paper.deleting = True
    with patient.start_command("delete", paper.document_id, "--json") as process:
        time.sleep(chance.uniform(0.5, 2.5))
        process.kill()
        process.communicate()
    paper.deleted = process.returncode == 0
    return at_once(f"document {paper.number}")


def cut_tick(role: str) -> Act:
    """Kill who evaluates the sensor, or the daemon, as soon as it has claimed a document for a run."""

    def act(patient: Patient, chance: Random) -> Struck:
        def claimed() -> bool:
            with suppress(psycopg.Error):
                return bool(patient.database.try_rows(CLAIMED_FOR_A_RUN))
            return False

        await_target(claimed)
        for pid in tree.with_role(role):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return at_once(f"every {role}")

    return act


def clock_jump(patient: Patient, chance: Random) -> Struck:
    raise NoTargetError


IN_FLIGHT = (
    Fault("delete a document in work", delete_in_flight),
    Fault("a new version of a document in work", new_version_in_flight),
    Fault("kill delete", kill_deletion, Work.NONE, kills=True),
    Fault("cut a tick between claim and launch (daemon)", cut_tick("daemon"), Work.FEW, kills=True),
    Fault("cut a tick between claim and launch (code server)", cut_tick("code_server"), Work.FEW, kills=True),
    Fault(
        "clock jump",
        clock_jump,
        missing="libfaketime is not installed" if shutil.which("faketime") is None else "not written yet",
    ),
)
