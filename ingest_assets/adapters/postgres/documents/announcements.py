"""The history of everybody's documents in Postgres, for whoever is to notice when something was added."""

from collections.abc import Collection

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.writers import EVENTS, writers
from ingest_assets.domain.documents.document import UserId


class PostgresAnnouncements:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._newest = 0
        self._writers: set[str] = set()
        """The transactions that may yet show an event below the newest."""

    def horizon(self) -> int | None:
        with self._database.connection() as connection:
            awaited = bool(self._writers)
            if not awaited:  # first the event, then those who were writing until then
                [newest] = connection.execute(query("last_event"))
                self._newest = newest["event_id"]
            writing = writers(connection, EVENTS)
        self._writers = self._writers & writing if awaited else writing
        return None if self._writers else self._newest

    def users_between(self, users: Collection[UserId], after: int, until: int) -> set[UserId]:
        names = {"user_ids": list(users), "after_event": after, "last_event": until}
        with self._database.connection() as connection:
            return {UserId(row["user_id"]) for row in connection.execute(query("announced_users"), names)}
