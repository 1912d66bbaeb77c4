"""When alerts were sent, in Postgres."""

from datetime import timedelta

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query


class PostgresAlertRecords:
    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, code: str, pause: timedelta, hold: timedelta) -> bool:
        names = {"code": code, "pause": pause, "hold": hold}
        with self._database.connection() as connection:
            return connection.execute(query("claim_alert"), names).fetchone() is not None

    def settle(self, code: str, *, sent: bool) -> None:
        with self._database.connection() as connection:
            connection.execute(query("settle_alert"), {"code": code, "sent": sent})
