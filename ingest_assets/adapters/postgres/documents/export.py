"""What is stored about a user or a document, and what was done with it, one record at a time in bounded memory."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from psycopg import Connection

from ingest_assets.adapters.postgres.connections import Row
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.sessions import LIMITS
from ingest_assets.adapters.postgres.writers import EVENTS, writers_have_ended
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.errors import ResourceError
from ingest_assets.domain.roles import Role

KINDS = {
    "document": "export_documents",
    "source": "export_sources",
    "service_job": "export_remote_jobs",
    "callback": "export_callbacks",
    "paid_call": "export_calls",
    "request": "export_requests",
    "deletion": "export_deletions",
    "event": "export_events",
}
"""Each kind of record with its query, in the order of an export."""

AT_ONCE = 1000

POLL_SECONDS = 0.1


class Export:
    """Reads from the database, and holds up nobody.

    Args:
        database: The database.
        patience: How long to wait for transactions that are writing events.
        pause: How to wait for some seconds.
    """

    def __init__(
        self,
        database: Database,
        patience: timedelta = LIMITS[Role.WORKER].lock,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._patience = patience
        self._pause = pause

    def records(self, user_id: UserId, document_id: DocumentId | None = None) -> Iterator[dict[str, Any]]:
        """Yield everything about a user or one of their documents, as of one moment; each record names its kind."""
        names = {"user_id": user_id, "document_id": document_id}
        with self._database.transaction() as connection:
            connection.execute(query("export_one_moment"))
            for kind, statement in KINDS.items():
                for row in _rows(connection, statement, names):
                    yield {"record": kind} | row

    def events(
        self, after: int = 0, user_id: UserId | None = None, document_id: DocumentId | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the events with ids above `after`, in the order of their ids; none with a lower id will come later.

        Ids are given out when events are written, not when they become visible. So the transactions that may still show
        one below the newest are awaited before anything is read.

        Raises:
            ResourceError: database_locked, if one of them does not end.
        """
        with self._database.connection() as connection:
            [newest] = connection.execute(query("last_event"))
            patience = self._patience.total_seconds()
            if not writers_have_ended(connection, EVENTS, patience=patience, poll=POLL_SECONDS, pause=self._pause):
                raise ResourceError("database_locked", seconds=patience)
            names = {"after_event": after, "last_event": newest["event_id"]}
            with connection.transaction():
                connection.execute(query("export_one_moment"))
                yield from _rows(connection, "audit_events", names | {"user_id": user_id, "document_id": document_id})


def _rows(connection: Connection[Row], statement: str, names: Mapping[str, object]) -> Iterator[Row]:
    with connection.cursor(statement) as cursor:
        cursor.itersize = AT_ONCE
        yield from cursor.execute(query(statement), names)
