"""Claims in Postgres. Times are the server's: one clock for every worker."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

from psycopg import Connection

from ingest_assets.adapters.postgres.connections import Row
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.locks import CLAIMS, lock
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.rows import claim_columns, columns_of, columns_of_error, job_of
from ingest_assets.domain.documents.document import DocumentId, JobId
from ingest_assets.domain.errors import IngestError, PermanentError, ResourceError
from ingest_assets.domain.queue.jobs import LIGHT_BYTES, SLOW_CODES, Actor, Job
from ingest_assets.domain.queue.lanes import Lane
from ingest_assets.domain.queue.retry_policy import Decision, GiveUp, RetryAt
from ingest_assets.domain.queue.stages import Stage, State, predecessor, sources
from ingest_assets.pipeline.tracing import tracing


class PostgresClaims:
    """Claims of one instance go round-robin between the users.

    `per_user` is the most jobs of one user that workers may hold at a time.
    """

    def __init__(self, database: Database, per_user: int | None = None) -> None:
        self._database = database
        self._per_user = per_user
        self._last_user = uuid4()

    def claim(
        self,
        claim: str,
        limit: int,
        lease: timedelta,
        *,
        retries_only: bool = False,
        light_only: bool = False,
        lane: Lane | None = None,
    ) -> list[Job]:
        names: dict[str, Any] = {"claim": claim, "limit": limit, "lease": lease, "retries_only": retries_only}
        names |= {"lane": lane, "light_only": light_only, "light_bytes": LIGHT_BYTES, "slow_codes": list(SLOW_CODES)}
        with tracing.span("claim", **{"ingest.claim": claim}) as note, self._claiming() as connection:
            rows = by_turns(connection, "claim_jobs", names | {"after": self._last_user, "per_user": self._per_user})
            note({"ingest.documents": len(rows)})
        jobs = [job_of(row) for row in rows]
        # If fewer came than asked for, no user was left out, or others claim the same users' jobs.
        # A random start then parts this worker from them.
        self._last_user = jobs[-1].document.user_id if len(jobs) == limit > 0 else uuid4()
        return jobs

    @contextmanager
    def _claiming(self) -> Iterator[Connection[Row]]:
        if self._per_user is None:
            with self._database.connection() as connection:
                yield connection
        else:
            with self._database.transaction() as connection:
                lock(connection, CLAIMS)
                yield connection

    def begin(self, jobs: Sequence[Job]) -> None:
        with self._database.connection() as connection:
            connection.execute(query("begin_jobs"), claim_columns(jobs))

    def take(self, document_id: DocumentId, claim: str, lease: timedelta, stage: Stage) -> Job:
        held = self.hold(document_id, claim, lease)
        if held is not None:
            return held
        with self._database.transaction() as connection:
            row = connection.execute(query("lock_job"), {"document_id": document_id}).fetchone()
            if row is None:
                raise PermanentError("unknown_document")
            begins_at = _entry(row, stage, lease)
            names: dict[str, Any] = {"job_id": row["job_id"], "claim": claim, "lease": lease}
            if begins_at is not None:
                restart = names | columns_of(Actor.of_claim(claim)) | {"stage": begins_at}
                connection.execute(query("restart_job"), restart)
            connection.execute(query("take_job"), names)
        taken = self.hold(document_id, claim, lease)
        if taken is None:
            raise ResourceError("claim_lost")
        return taken

    def hold(self, document_id: DocumentId, claim: str, lease: timedelta) -> Job | None:
        rows = self._all("hold_job", {"document_id": document_id, "claim": claim, "lease": lease})
        return job_of(rows[0]) if rows else None

    def has_given(self, document_id: DocumentId, claim: str) -> bool:
        [row] = self._all("claim_was_given", {"document_id": document_id, "claim": claim})
        return bool(row["given"])

    def renew(self, claim: str, lease: timedelta) -> int:
        return self._count("renew_leases", {"claim": claim, "lease": lease})

    def settle(self, job: Job, decision: Decision, error: IngestError, *, reported: bool) -> None:
        gives_up = isinstance(decision, GiveUp)
        self._count(
            "settle_job",
            {
                "job_id": job.job_id,
                "claim": job.claim,
                "correlation_id": job.correlation_id,
                "fence": job.fence,
                "state": State.DEADLETTER if gives_up else State.RETRYABLE,
                "counts": int(gives_up or isinstance(decision, RetryAt)),
                "next_retry_at": None if isinstance(decision, GiveUp) else decision.when,
                "reported": reported,
            }
            | columns_of_error(error),
        )

    def release(self, claim: str, document_id: DocumentId | None = None, *, keep: Sequence[JobId] = ()) -> int:
        return self._release(claim, document_id, keep=keep)

    def leave(self, job: Job) -> None:
        self._release(job.claim, job.document.document_id, fence=job.fence)

    def reclaim(self, worst: int, actor: Actor, reconnection: timedelta = timedelta(0)) -> int:
        error = PermanentError("crashed_worker", crashes=worst)
        names = {"worst": worst, "reconnection": reconnection}
        return self._count("reclaim_jobs", names | columns_of(actor) | columns_of_error(error))

    def _release(
        self, claim: str, document_id: DocumentId | None, *, fence: int | None = None, keep: Sequence[JobId] = ()
    ) -> int:
        names = {"claim": claim, "document_id": document_id, "fence": fence, "kept": list(keep)}
        return self._count("release_jobs", names)

    def _all(self, name: str, names: dict[str, Any]) -> list[Row]:
        with self._database.connection() as connection:
            return connection.execute(query(name), names).fetchall()

    def _count(self, name: str, names: dict[str, Any]) -> int:
        with self._database.connection() as connection:
            return connection.execute(query(name), names).rowcount


def by_turns(connection: Connection[Row], name: str, names: dict[str, Any]) -> list[Row]:
    """Run a query, planned anew each time: a plan from when the queue was short would read all of a long one."""
    return connection.execute(query(name), names, prepare=False).fetchall()


def _entry(row: Row, stage: Stage, lease: timedelta) -> Stage | None:
    """Return the stage from which a job must begin again to enter `stage`, or None if it can go on from its own."""
    if row["state"] == State.WORKING and not row["expired"]:
        raise ResourceError("claimed_elsewhere", seconds=int(lease.total_seconds()))
    if row["state"] == State.DONE:
        return predecessor(stage)
    if Stage(row["stage"]) not in sources(stage):
        raise PermanentError("upstream_missing")
    return Stage(row["stage"]) if row["state"] == State.DEADLETTER else None
