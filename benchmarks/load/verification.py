"""Whether each document that was accepted has ended as it should, and when; and what the database holds of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.deployments import Home
from benchmarks.load.callers import DOCUMENT, Outcome
from benchmarks.load.plan import LoadPlan

ACCEPTED = 202

ENDS = """SELECT documents.document_id::text, jobs.state, jobs.error_code,
    documents.live_version = documents.version
        AND EXISTS (SELECT FROM upload_pipeline.document_chunks AS chunks
            WHERE chunks.document_id = documents.document_id) AS searchable,
    extract(epoch FROM jobs.queued_at)::float AS queued,
    extract(epoch FROM jobs.finished_at)::float AS finished,
    (SELECT extract(epoch FROM min(occurred_at))::float FROM upload_pipeline.events
        WHERE events.document_id = documents.document_id AND events.state = 'working') AS begun
FROM upload_pipeline.documents JOIN upload_pipeline.upload_jobs AS jobs USING (document_id)"""

HELD = """SELECT
    (SELECT count(*) FROM upload_pipeline.documents) AS documents,
    (SELECT count(*) FROM upload_pipeline.document_chunks) AS chunks,
    (SELECT count(*) FROM upload_pipeline.events) AS events,
    pg_relation_size('upload_pipeline.document_chunks') AS chunk_rows,
    (SELECT coalesce(pg_total_relation_size(reltoastrelid), 0)::bigint FROM pg_class
        WHERE oid = 'upload_pipeline.document_chunks'::regclass) AS chunk_vectors,
    pg_indexes_size('upload_pipeline.document_chunks') AS chunk_indexes,
    pg_total_relation_size('upload_pipeline.events') AS history,
    pg_database_size(current_database()) AS database"""

WRITTEN = """SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float AS bytes,
    (SELECT sum(xact_commit)::float FROM pg_stat_database) AS commits"""

PROGRESS = """SELECT count(*) AS accepted, count(*) FILTER (WHERE state = 'done') AS done,
    count(*) FILTER (WHERE state = 'working') AS working, count(*) FILTER (WHERE state = 'deadletter') AS dead
FROM upload_pipeline.upload_jobs"""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a document has ended. Times are in seconds since 1970."""

    searchable: bool
    dead: bool
    code: str | None
    queued: float
    begun: float | None
    finished: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the accepted documents."""

    searchable: int
    dead_as_planned: int
    wrong: tuple[str, ...]
    """Documents that are neither searchable nor, for an injected cause, in the dead letters: their ids and codes."""


def endings(home: Home) -> dict[str, Ending]:
    """Return how each document has ended, by its id."""
    return {row["document_id"]: _ending(row) for row in home.rows(ENDS)}


def verdict(plan: LoadPlan, outcomes: Iterable[Outcome], found: Mapping[str, Ending]) -> Verdict:
    searchable = dead = 0
    wrong = []
    for outcome in outcomes:
        if outcome.kind != DOCUMENT or outcome.document_id is None or outcome.number is None:
            continue
        ending = found.get(outcome.document_id)
        if ending is not None and ending.searchable and not plan.is_broken(outcome.number):
            searchable += 1
        elif ending is not None and ending.dead and plan.is_broken(outcome.number):
            dead += 1
        else:
            wrong.append(f"{outcome.document_id} ({'not there' if ending is None else ending.code})")
    return Verdict(searchable, dead, tuple(wrong))


def _ending(row: Mapping[str, Any]) -> Ending:
    return Ending(
        searchable=row["state"] == "done" and bool(row["searchable"]),
        dead=row["state"] == "deadletter",
        code=row["error_code"],
        queued=row["queued"],
        begun=row["begun"],
        finished=row["finished"],
    )
