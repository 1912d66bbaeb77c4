"""How much waits in the queue, and which workers are at work."""

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.queue.claims import by_turns
from ingest_assets.domain.queue.lanes import Lane


class PostgresBacklog:
    def __init__(self, database: Database, per_user: int | None = None) -> None:
        self._database = database
        self._per_user = per_user

    def waiting(self, limit: int, lane: Lane | None = None) -> int:
        names = {"limit": limit, "per_user": self._per_user, "lane": lane}
        with self._database.connection() as connection:
            [row] = by_turns(connection, "count_waiting", names)
        return int(row["count"])

    def holders(self) -> set[str]:
        with self._database.connection() as connection:
            return {row["claimed_by"] for row in connection.execute(query("holders"))}

    def unfinished(self) -> bool:
        with self._database.connection() as connection:
            [row] = connection.execute(query("any_unfinished"))
        return bool(row["unfinished"])
