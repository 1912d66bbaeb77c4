"""What has become of documents over time, out of the queue and the history."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.dashboards.figures import Day, Growth, Hour
from ingest_assets.domain.predictions import PastWork, Work

Kind = TypeVar("Kind")


class PostgresRecords:
    def __init__(self, database: Database) -> None:
        self._database = database

    def hours(self, window: timedelta) -> list[Hour]:
        return self._read(Hour, "documents_by_hour", window=window)

    def days(self, promise: timedelta) -> list[Day]:
        return self._read(Day, "documents_by_day", promise=promise)

    def growth(self) -> list[Growth]:
        return self._read(Growth, "growth_by_day")

    def past_work(self, limit: int) -> list[PastWork]:
        return self._read(PastWork, "past_work", limit=limit)

    def unfinished_work(self) -> list[Work]:
        return self._read(Work, "unfinished_work")

    def _read(self, kind: Callable[..., Kind], statement: str, **names: Any) -> list[Kind]:
        with self._database.connection() as connection:
            return [kind(**row) for row in connection.execute(query(statement), names)]
