"""How work flows through the queue in Postgres, and what is paused there."""

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.queue.flow import WINDOW, Flow
from ingest_assets.domain.queue.pauses import Pause, Paused


class PostgresFlows:
    def __init__(self, database: Database) -> None:
        self._database = database

    def flow(self) -> Flow:
        with self._database.connection() as connection:
            [row] = connection.execute(query("flow_of_jobs"), {"window": WINDOW})
        return Flow(**row)


class PostgresPauses:
    def __init__(self, database: Database) -> None:
        self._database = database

    def pause(self, paused: Paused) -> bool:
        return self._changes("begin_pause", paused)

    def resume(self, paused: Paused) -> bool:
        return self._changes("end_pause", paused)

    def all(self) -> list[Pause]:
        with self._database.connection() as connection:
            rows = connection.execute(query("pauses")).fetchall()
        return [Pause(Paused(row["user_id"], row["provider"]), row["began_at"]) for row in rows]

    def _changes(self, statement: str, paused: Paused) -> bool:
        names = {"user_id": paused.user_id, "provider": paused.provider}
        with self._database.connection() as connection:
            return connection.execute(query(statement), names).fetchone() is not None
