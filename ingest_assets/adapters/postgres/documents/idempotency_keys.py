"""The requests already answered, and their answers. Each reservation also forgets some old keys."""

from hashlib import sha256

from ingest_assets.adapters.postgres.connections import Row
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents.document import Acceptance, AcceptanceStatus, DocumentId, JobId, UserId
from ingest_assets.domain.errors import PermanentError


class PostgresIdempotencyKeys:
    def __init__(self, database: Database) -> None:
        self._database = database

    def reserve(self, user_id: UserId, key: str, content_sha: str) -> Acceptance | None:
        request_sha = _sha(f"{content_sha} {key}")
        names = {"user_id": user_id, "key_sha": _sha(key), "request_sha": request_sha}
        with self._database.connection() as connection:
            connection.execute(query("forget_idempotency_keys"))
            row = connection.execute(query("reserve_idempotency_key"), names).fetchone()
        if row is None or row["request_sha"] != request_sha:
            raise PermanentError("idempotency_conflict")
        return None if row["document_id"] is None else _acceptance(row)

    def record(self, user_id: UserId, key: str, answer: Acceptance) -> Acceptance:
        names = {
            "user_id": user_id,
            "key_sha": _sha(key),
            "document_id": answer.document_id,
            "job_id": answer.job_id,
            "status": answer.status,
        }
        with self._database.connection() as connection:
            row = connection.execute(query("record_answer"), names).fetchone()
        return answer if row is None else _acceptance(row)


def _sha(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _acceptance(row: Row) -> Acceptance:
    return Acceptance(DocumentId(row["document_id"]), JobId(row["job_id"]), AcceptanceStatus(row["status"]))
