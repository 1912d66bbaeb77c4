"""The id of the object store, in Postgres."""

from uuid import UUID

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query


class PostgresStoreIds:
    def __init__(self, database: Database) -> None:
        self._database = database

    def store_id(self) -> UUID:
        with self._database.connection() as connection:
            [row] = connection.execute(query("store_id"))
        return UUID(str(row["store_id"]))
