"""What must hold at the end, asked of the database and of the object store with as little SQL as possible."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.sweeping import SweepLimits
from ingest_assets.pipeline.stored_objects import PROBES
from ingest_assets.settings import Settings
from ingest_assets_tests.faults.harness.deployment.patient import Clients, Patient
from ingest_assets_tests.faults.harness.documents.library import Paper
from ingest_assets_tests.faults.harness.documents.marks import is_whole, marks_in

JOBS = """
SELECT job.document_id, job.state, job.error_code, job.version, document.live_version, document.user_id,
    document.content_sha, document.parsed_sha,
    (SELECT array_agg(text) FROM upload_pipeline.document_chunks WHERE document_id = job.document_id) AS texts,
    greatest(
        (SELECT max(occurred_at) FROM upload_pipeline.events WHERE document_id = job.document_id),
        job.lease_expires_at, job.next_retry_at) AS due
FROM upload_pipeline.upload_jobs AS job JOIN upload_pipeline.documents AS document USING (document_id)"""

EVENTS = """
SELECT occurred_at AS at, version, actor, stage || '/' || state || coalesce(' ' || code, '') AS what
FROM upload_pipeline.events WHERE document_id = %(document_id)s ORDER BY event_id"""

STORED = "SELECT content_sha FROM upload_pipeline.documents WHERE document_id = %(document_id)s"

UNFINISHED = """
SELECT count(*) AS unfinished FROM upload_pipeline.upload_jobs WHERE state NOT IN ('done', 'deadletter')"""

LAST_MOVE = "SELECT coalesce(max(occurred_at), 'epoch') AS at, now() AS now FROM upload_pipeline.events"


@dataclass(frozen=True, slots=True)
class Job:
    document_id: UUID
    state: str
    code: str | None
    searchable: int | None
    """The version that is whole among the passages."""
    due: datetime


def jobs(patient: Clients) -> dict[UUID, Job]:
    return {row["document_id"]: _job(row) for row in patient.database.rows(JOBS)}


def _job(row: dict[str, Any]) -> Job:
    marks = marks_in(row["texts"] or [])
    searchable = next(iter(marks)).version if marks and is_whole(marks) else None
    return Job(row["document_id"], row["state"], row["error_code"], searchable, row["due"])


def lost(patient: Clients) -> list[str]:
    """Return the accepted documents that are neither searchable in their newest version nor on their way."""
    known = jobs(patient)
    found = [(paper, why) for paper in patient.library.good() if (why := _why_lost(paper, known)) is not None]
    return [f"{why}; {history(patient, paper)}" for paper, why in found]


def history(patient: Clients, paper: Paper) -> str:
    """Return what happened to a document, and whether what is stored last is what lies on disk."""
    events = patient.database.rows(EVENTS, document_id=paper.document_id)
    told = [f"{row['at']:%H:%M:%S.%f} v{row['version']} {row['what']} by {row['actor'][:12]}" for row in events]
    [row] = patient.database.rows(STORED, document_id=paper.document_id) or [{"content_sha": None}]
    same = row["content_sha"] == sha256(paper.path.read_bytes()).hexdigest()
    return ", ".join([f"newest bytes {'are' if same else 'are not'} those on disk", *told])


def _why_lost(paper: Paper, known: dict[UUID, Job]) -> str | None:
    name = f"document {paper.number} ({paper.kind}, version {paper.accepted})"
    if paper.accepted == 0 or paper.document_id is None:
        return None  # its owner knows that it was not accepted
    job = known.get(paper.document_id)
    if job is None:
        return f"{name} has no job"
    if job.state == "deadletter":
        return f"{name} is a dead letter: {job.code}"
    if job.state == "done" and job.searchable != paper.accepted:
        return f"{name} is done, but version {job.searchable} is found"
    return None


def stuck(patient: Clients) -> list[str]:
    """Return the jobs that nobody holds and that were due two leases ago, while nothing else moves either."""
    [last] = patient.database.rows(LAST_MOVE)
    patience = 2 * patient.lease
    if last["now"] - last["at"] < patience:
        return []
    return [
        f"{job.document_id} is {job.state} since {job.due:%H:%M:%S}"
        for job in jobs(patient).values()
        if job.state not in ("done", "deadletter") and last["now"] - job.due > patience
    ]


def unfinished(patient: Clients) -> int:
    return int(patient.database.value(UNFINISHED))


def breaches(patient: Clients) -> list[str]:
    """Return what `ingest doctor --deep` finds: the invariants of rows, store, history, ledger and Dagster."""
    ran = patient.command("doctor", "--deep", "--json")
    if ran is None or not ran.stdout:
        return ["`ingest doctor --deep` gave no answer"]
    return [f"doctor: {check['code']}, {check['detail']}" for check in ran.json if not check["ok"]]


def orphans(patient: Patient) -> list[str]:
    """Return the stored files that no row names, once a sweep has removed what it may remove at any age."""
    deployment = Deployment(
        Settings(
            home=patient.home,
            database_url=SecretStr(patient.database.url()),
            storage_url=patient.store.url,
        )
    )
    try:
        replace(deployment.sweep, limits=SweepLimits(timedelta(0), timedelta(0))).remove_surplus()
    finally:
        deployment.close()
    named = {name for row in patient.database.rows(JOBS) for name in _named(row)}
    stored = [str(path.relative_to(patient.store.objects)) for path in patient.store.files()]
    return [name for name in stored if name not in named and not name.startswith(PROBES)]


def _named(row: dict[str, Any]) -> Iterator[str]:
    folder = f"{row['user_id']}/{row['document_id']}"
    yield f"{folder}/{row['content_sha']}"
    if row["parsed_sha"]:
        yield f"{folder}/{row['parsed_sha']}.md"


def leftover_seconds(lease: timedelta) -> float:
    """Return how long processes may take to end after `ingest up` has."""
    return 20 + lease.total_seconds()
