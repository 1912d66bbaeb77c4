"""A parsing provider's jobs in Postgres: what one worker has paid for, another can fetch."""

import secrets
from typing import Any
from uuid import UUID, uuid5

import psycopg

from ingest_assets.adapters.postgres.connections import Row
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents.document import Document, DocumentId, Producer
from ingest_assets.domain.errors import IngestError, ResourceError, TransientError
from ingest_assets.domain.spending.remote_jobs import CalledBack, RemoteJob, Unanswered

SECRET_BYTES = 32


class PostgresRemoteJobs:
    def __init__(self, database: Database) -> None:
        self._database = database

    def prepare(
        self, document: Document, producer: Producer, call_id: int | None = None, request_id: UUID | None = None
    ) -> str:
        secret = secrets.token_urlsafe(SECRET_BYTES)
        names = {
            "user_id": document.user_id,
            "callback_secret": secret,
            "call_id": call_id,
            "remote_request_id": request_id,
        }
        with self._database.connection() as connection:
            try:
                connection.execute(query("prepare_remote_job"), _key(document, producer) | names)
            except psycopg.errors.ForeignKeyViolation:
                raise ResourceError("claim_lost") from None
        return secret

    def withdraw(self, request_id: UUID) -> None:
        self._change("withdraw_remote_job", {"remote_request_id": request_id})

    def unanswered(self, document: Document, producer: Producer) -> Unanswered | None:
        row = self._one("unanswered_remote_job", _key(document, producer))
        return None if row is None else Unanswered(**row)

    def remember(self, document: Document, producer: Producer, remote_id: str, call_id: int | None = None) -> None:
        names = _key(document, producer) | {"remote_id": remote_id, "call_id": call_id}
        with self._database.connection() as connection:
            try:
                remembered = connection.execute(query("remember_remote_job"), names).rowcount
            except psycopg.errors.UniqueViolation:
                raise _repeated(producer) from None
        if not remembered:
            raise ResourceError("claim_lost")

    def recall(self, document: Document, producer: Producer) -> RemoteJob | None:
        row = self._one("recall_remote_job", _key(document, producer))
        return None if row is None else RemoteJob(**row)

    def book(self, document: Document, producer: Producer, remote_id: str) -> None:
        self._change("book_remote_job", _key(document, producer) | {"remote_id": remote_id})

    def await_bill(self, document: Document, producer: Producer, remote_id: str) -> None:
        self._change("await_bill", _key(document, producer) | {"remote_id": remote_id})

    def forget(self, document: Document, producer: Producer, remote_id: str) -> None:
        self._change("forget_remote_job", _key(document, producer) | {"remote_id": remote_id})

    def leave(self, asked: Unanswered, producer: Producer, remote_id: str) -> None:
        names = {
            "remote_request_id": uuid5(
                asked.request_id, remote_id
            ),  # the request's own id stays for the job that is kept
            "provider": producer.name,
            "remote_id": remote_id,
            "call_id": asked.call_id,
            "asked_at": asked.asked_at,
        }
        self._change("leave_remote_job", names)

    def completed(self, remote_id: str) -> bool:
        row = self._one("remote_job_completed", {"remote_id": remote_id})
        return row is not None and bool(row["completed"])

    def expects(self, callback_secret: str) -> bool:
        """Return whether a job was given this secret."""
        row = self._one("expects_callback", {"callback_secret": callback_secret})
        return row is not None and bool(row["expected"])

    def secret_of(self, request_id: UUID) -> str | None:
        """Return what signs the callbacks of a request's job, or None if nobody waits for it."""
        row = self._one("secret_of_request", {"remote_request_id": request_id})
        return None if row is None else str(row["callback_secret"])

    def complete(self, remote_id: str) -> CalledBack | None:
        """Record that the provider called back for its job; return whose job it is, or None if nobody waits for it."""
        return self._complete(remote_id=remote_id, callback_secret=None)

    def complete_by_secret(self, callback_secret: str) -> CalledBack | None:
        """Do the same for a callback that names its job only by the secret in the address."""
        return self._complete(remote_id=None, callback_secret=callback_secret)

    def _complete(self, **names: str | None) -> CalledBack | None:
        row = self._one("complete_remote_job", names)
        return None if row is None else CalledBack(DocumentId(row["document_id"]), row["completed_before"])

    def _change(self, name: str, names: dict[str, Any]) -> int:
        with self._database.connection() as connection:
            return connection.execute(query(name), names).rowcount

    def _one(self, name: str, names: dict[str, Any]) -> Row | None:
        with self._database.connection() as connection:
            return connection.execute(query(name), names).fetchone()


def _repeated(producer: Producer) -> IngestError:
    """Return the error for an id that is another job's; the provider may have made a job all the same."""
    failure = TransientError("service_job_repeated", name=producer.name)
    failure.may_have_cost = True
    return failure


def _key(document: Document, producer: Producer) -> dict[str, Any]:
    return {
        "document_id": document.document_id,
        "content_sha": document.content_sha,
        "parser_name": producer.name,
        "parser_version": producer.version,
    }
