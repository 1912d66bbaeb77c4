"""The queue in Postgres. Times are the server's: one clock for every worker."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

from psycopg import Connection
from psycopg.types.json import Jsonb

from ingest_assets.adapters.postgres.database import Database, Row
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents.document import Document, DocumentId
from ingest_assets.domain.errors import IngestError, PermanentError, ResourceError
from ingest_assets.domain.queue.jobs import Actor, Job, Outcome, Payload, without_text
from ingest_assets.domain.queue.retry_policy import Decision, GiveUp, RetryAt
from ingest_assets.domain.queue.stages import Stage, State, predecessor, sources


class PostgresJobs:
    """Claims of one instance go round between the users; `per_user` is the most jobs of one user in work by claims."""

    def __init__(self, database: Database, per_user: int | None = None) -> None:
        self._database = database
        self._per_user = per_user
        self._last_user = uuid4()

    def claim(self, claim: str, limit: int, lease: timedelta, *, retries_only: bool = False) -> list[Job]:
        names = {"claim": claim, "limit": limit, "lease": lease, "retries_only": retries_only}
        with self._claiming() as connection:
            rows = self._by_turns(connection, "claim_jobs", names | {"after": self._last_user})
        jobs = [_job(row) for row in rows]
        # Fewer than asked for: nobody was left out, or others claim the same users' jobs. Then part from them.
        self._last_user = jobs[-1].document.user_id if len(jobs) == limit > 0 else uuid4()
        return jobs

    @contextmanager
    def _claiming(self) -> Iterator[Connection[Row]]:
        if self._per_user is None:
            with self._database.connection() as connection:
                yield connection
        else:
            with self._database.transaction() as connection:
                connection.execute(query("lock_claims"))
                yield connection

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
        return _job(rows[0]) if rows else None

    def renew(self, claim: str, lease: timedelta) -> int:
        return self._count("renew_leases", {"claim": claim, "lease": lease})

    def advance(self, job: Job, *stages: Stage) -> None:
        with self._database.connection() as connection:
            advance(connection, job, *stages)

    def settle(self, job: Job, decision: Decision, error: IngestError, *, reported: bool) -> None:
        gives_up = isinstance(decision, GiveUp)
        self._count(
            "settle_job",
            {
                "job_id": job.job_id,
                "claim": job.claim,
                "state": State.DEADLETTER if gives_up else State.RETRYABLE,
                "counts": int(gives_up or isinstance(decision, RetryAt)),
                "next_retry_at": None if isinstance(decision, GiveUp) else decision.when,
                "code": error.code,
                "message": error.message,
                "hint": error.hint,
                "reported": reported,
            },
        )

    def release(self, claim: str, document_id: DocumentId | None = None) -> int:
        return self._count("release_jobs", {"claim": claim, "document_id": document_id})

    def reclaim(self, worst: int, actor: Actor) -> int:
        error = PermanentError("crashed_worker", crashes=worst)
        facts = {"code": error.code, "message": error.message, "hint": error.hint}
        return self._count("reclaim_jobs", {"worst": worst} | columns_of(actor) | facts)

    def replay(self, document_ids: Sequence[DocumentId], actor: Actor) -> list[DocumentId]:
        names = {"document_ids": list(document_ids)}
        return [row["document_id"] for row in self._all("replay_jobs", names | columns_of(actor))]

    def refresh(self, document_ids: Sequence[DocumentId], actor: Actor) -> list[DocumentId]:
        names = {"document_ids": list(document_ids)}
        return [row["document_id"] for row in self._all("refresh_jobs", names | columns_of(actor))]

    def waiting(self, limit: int) -> int:
        with self._database.connection() as connection:
            return int(self._by_turns(connection, "count_waiting", {"limit": limit})[0]["count"])

    def holders(self) -> set[str]:
        return {row["claimed_by"] for row in self._all("holders", {})}

    def unfinished(self) -> bool:
        return bool(self._all("any_unfinished", {})[0]["unfinished"])

    def states(self, document_ids: Sequence[DocumentId]) -> dict[State, int]:
        rows = self._all("count_states", {"document_ids": list(document_ids)})
        return {State(row["state"]): row["jobs"] for row in rows}

    @contextmanager
    def unreported(self, limit: int) -> Iterator[list[Outcome]]:
        with self._database.transaction() as connection:
            rows = connection.execute(query("unreported_outcomes"), {"limit": limit}).fetchall()
            yield [_outcome(row) for row in rows]
            connection.execute(query("mark_reported"), {"job_ids": [row["job_id"] for row in rows]})

    def report_dead_letters(self, limit: int) -> list[DocumentId]:
        return [row["document_id"] for row in self._all("report_dead_letters", {"limit": limit})]

    def _by_turns(self, connection: Connection[Row], name: str, names: dict[str, Any]) -> list[Row]:
        """Planned every time: a plan kept from when the queue was short would read all of a long one."""
        return connection.execute(query(name), names | {"per_user": self._per_user}, prepare=False).fetchall()

    def _all(self, name: str, names: dict[str, Any]) -> list[Row]:
        with self._database.connection() as connection:
            return connection.execute(query(name), names).fetchall()

    def _count(self, name: str, names: dict[str, Any]) -> int:
        with self._database.connection() as connection:
            return connection.execute(query(name), names).rowcount


def advance(connection: Connection[Row], job: Job, *stages: Stage, payload: Payload | None = None) -> Payload:
    """Moves a held job through `stages`; the payload with the last, as noted. Raises ResourceError claim_lost."""
    names = {
        "job_id": job.job_id,
        "claim": job.claim,
        "stage": stages[-1],
        "stages": list(stages),
        "sources": list(sources(stages[0])),
        "payload": payload_parameter(payload or {}),
    }
    return require_claim(connection, "advance_job", names)


def payload_parameter(payload: Payload) -> Jsonb:
    """The only way into `events.payload`."""
    return Jsonb(without_text(payload))


def require_claim(connection: Connection[Row], name: str, names: dict[str, Any]) -> Payload:
    """Runs a conditional write that returns its last event's payload. Raises ResourceError claim_lost."""
    rows = connection.execute(query(name), names).fetchall()
    if not rows:
        raise ResourceError("claim_lost")
    return dict(rows[-1]["payload"])


def hold_claim(connection: Connection[Row], names: dict[str, Any]) -> None:
    """Locks a held job until the transaction ends. Raises ResourceError claim_lost."""
    if connection.execute(query("hold_claim"), names).fetchone() is None:
        raise ResourceError("claim_lost")


def columns_of(actor: Actor) -> dict[str, str]:
    """As events name them."""
    return {"actor": actor.name, "correlation_id": actor.correlation_id}


def _entry(row: Row, stage: Stage, lease: timedelta) -> Stage | None:
    """Where the job must begin anew so that `stage` can be entered; None where it may go on from where it stands."""
    if row["state"] == State.WORKING and not row["expired"]:
        raise ResourceError("claimed_elsewhere", seconds=int(lease.total_seconds()))
    if row["state"] == State.DONE:
        return predecessor(stage)
    if Stage(row["stage"]) not in sources(stage):
        raise PermanentError("upstream_missing")
    return Stage(row["stage"]) if row["state"] == State.DEADLETTER else None


def _job(row: Row) -> Job:
    return Job(
        job_id=row["job_id"],
        document=Document(
            document_id=row["document_id"],
            user_id=row["user_id"],
            version=row["version"],
            filename=row["filename"],
            media_type=row["media_type"],
            byte_size=row["byte_size"],
            content_sha=row["content_sha"],
        ),
        claim=row["claimed_by"],
        stage=Stage(row["stage"]),
        attempt=row["attempts"] + 1,
    )


def _outcome(row: Row) -> Outcome:
    payloads = {Stage(name): payload for name, payload in (row["payloads"] or {}).items()}
    return Outcome(job_id=row["job_id"], document_id=row["document_id"], payloads=payloads)
