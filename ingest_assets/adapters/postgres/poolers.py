"""What stands between here and the server."""

from contextlib import ExitStack

from ingest_assets.adapters.postgres.connections import KeepingConnection
from ingest_assets.adapters.postgres.database import connected
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.pooling import Pooling

LOOKS = 5
"""How often it is tried to meet one session of the server in two connections: other clients may come in between."""
HELD = 2


def pooling_of(url: str) -> Pooling:
    """Return how a pooler, if there is one, gives its clients the server's sessions.

    In session mode, a connection keeps its session, and nobody else gets it.
    """
    with connected(url) as one:
        if not one.is_pooled:
            return Pooling.NONE
        seen = {_session(one)}
        for _ in range(LOOKS):
            with ExitStack() as held:
                for _ in range(HELD):
                    other = held.enter_context(connected(url))
                    held.enter_context(other.transaction())
                    if _session(other) in seen:
                        return Pooling.TRANSACTION
                seen.add(_session(one))
            if len(seen) > 1:
                return Pooling.TRANSACTION
        return Pooling.SESSION


def require_own_session(url: str) -> None:
    """Require that the server keeps a session for a connection: programs would leave their settings to others.

    Raises:
        PermanentError: pooler_in_between.
    """
    if pooling_of(url) is Pooling.TRANSACTION:
        raise PermanentError("pooler_in_between")


def _session(connection: KeepingConnection) -> int:
    [row] = connection.execute(query("backend_pid"))
    return int(row["pid"])
