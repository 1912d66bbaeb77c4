"""How far a read replica is behind the database."""

from dataclasses import dataclass
from datetime import timedelta

from ingest_assets.adapters.postgres.database import connected
from ingest_assets.adapters.postgres.queries import query


@dataclass(frozen=True, slots=True)
class ReplicaState:
    is_replica: bool
    """Whether the server follows another one; if not, it may be the database itself, or one of other documents."""
    is_same: bool
    """Whether it has this deployment's documents."""
    behind_bytes: int
    """How much of what had been written in the database was not there yet."""
    since_last: timedelta | None
    """How long ago the last transaction that has arrived was made; None if none has."""


def replica_state(url: str, replica_url: str) -> ReplicaState:
    """Return the state of a replica, as both servers tell it.

    Raises:
        OutageError: database_unreachable, or another one of the replica's.
    """
    with connected(url) as database:
        [written] = database.execute(query("written_position"))
    with connected(replica_url) as replica:
        [seen] = replica.execute(query("replayed_position"), {"position": written["position"]})
    return ReplicaState(seen["is_replica"], seen["database"] == written["database"], seen["behind"], seen["since_last"])
