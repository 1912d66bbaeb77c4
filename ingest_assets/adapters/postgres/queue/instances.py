"""Deployments that work on the same database, and which Dagster lists a document."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.locks import INSTANCES, lock
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.queue.instances import OtherInstance, may_start

LEASE = timedelta(seconds=60)
"""How long a deployment may be silent before the others go on as if it were not there."""


GRACE = timedelta(seconds=30)
"""How long Dagster may take to store the drain runs that were reserved."""
GRAIN = timedelta(seconds=5)
"""How exactly it is noted when the sensor looked at the queue."""
KEPT = timedelta(days=7)
"""How long a deployment is remembered after its end."""


class PostgresInstances:
    """The lease of one deployment; `boot` names its present start."""

    def __init__(
        self, database: Database, name: str, boot: str, lease: timedelta = LEASE, grace: timedelta = GRACE
    ) -> None:
        self._database = database
        self._name = name
        self._boot = boot
        self._lease = lease
        self._grace = grace

    def renew(self, dagster_id: str) -> None:
        names = {"name": self._name, "boot": self._boot, "dagster_id": dagster_id, "lease": self._lease}
        with self._database.connection() as connection:
            row = connection.execute(query("renew_instance"), names).fetchone()
            if row is not None and row["begins"]:
                connection.execute(query("forget_instances"), {"age": KEPT})

    def note_look(self) -> None:
        with self._database.connection() as connection:
            connection.execute(query("note_look"), {"name": self._name, "grain": GRAIN})

    def end(self) -> None:
        with self._database.connection() as connection:
            connection.execute(query("end_instance"), {"name": self._name, "boot": self._boot})

    def others(self) -> list[OtherInstance]:
        with self._database.connection() as connection:
            return [OtherInstance(**row) for row in connection.execute(query("other_instances"), {"name": self._name})]

    def is_contested(self) -> bool:
        with self._database.connection() as connection:
            [row] = connection.execute(query("instance_is_contested"), {"name": self._name, "lease": self._lease})
        return bool(row["contested"])

    def noted_drain_runs(self) -> int:
        with self._database.connection() as connection:
            [row] = connection.execute(query("drain_runs"), {"name": self._name})
        return int(row["own"])

    def reserve(self, wanted: int, *, own: Callable[[], int], most: int) -> int:
        with self._database.transaction() as connection:
            lock(connection, INSTANCES)
            live = own()
            [row] = connection.execute(query("drain_runs"), {"name": self._name})
            allowed = may_start(wanted - live, own=live, elsewhere=int(row["elsewhere"]), most=most)
            noted = {"drain_runs": live + allowed, "reserves": allowed > 0, "grace": self._grace}
            connection.execute(query("note_drain_runs"), {"name": self._name} | noted)
        return allowed


class PostgresListings:
    def __init__(self, database: Database) -> None:
        self._database = database

    def move_here(self, document_ids: Sequence[DocumentId], dagster_id: str) -> None:
        with self._database.connection() as connection:
            connection.execute(query("move_listings"), {"document_ids": list(document_ids), "dagster_id": dagster_id})

    @contextmanager
    def moved_away(self, dagster_id: str, limit: int) -> Iterator[list[DocumentId]]:
        names = {"dagster_id": dagster_id, "limit": limit}
        with self._database.transaction() as connection:
            rows = connection.execute(query("moved_listings"), names).fetchall()
            document_ids = [DocumentId(row["document_id"]) for row in rows]
            yield document_ids
            if document_ids:
                connection.execute(query("forget_moved"), names | {"document_ids": document_ids})
