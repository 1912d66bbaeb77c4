"""Alerts in Postgres: what holds, what was told of it, and what the metrics said earlier."""

from collections.abc import Collection
from datetime import timedelta

from psycopg.types.json import Jsonb

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.alerting.readings import AT_ALL, IN_FULL, SPARSE, Reading
from ingest_assets.domain.alerting.summaries import Peaks
from ingest_assets.pipeline.ports.alerting import Held


class PostgresAlertRecords:
    def __init__(self, database: Database) -> None:
        self._database = database

    def held(self) -> list[Held]:
        with self._database.connection() as connection:
            return [Held(**row) for row in connection.execute(query("conditions"))]

    def note(self, begun: Collection[str], ended: Collection[str]) -> None:
        if begun or ended:
            with self._database.connection() as connection:
                connection.execute(query("note_conditions"), {"begun": sorted(begun), "ended": sorted(ended)})

    def claim(self, key: str, pause: timedelta, hold: timedelta) -> bool:
        return self._claims("claim_alert", {"code": key, "pause": pause, "hold": hold})

    def settle(self, key: str, *, sent: bool) -> None:
        with self._database.connection() as connection:
            connection.execute(query("settle_alert"), {"code": key, "sent": sent})

    def claim_clearing(self, key: str, hold: timedelta) -> bool:
        return self._claims("claim_clearing", {"code": key, "hold": hold})

    def settle_clearing(self, key: str, *, sent: bool) -> None:
        with self._database.connection() as connection:
            connection.execute(query("settle_clearing"), {"code": key, "sent": sent})

    def _claims(self, statement: str, names: dict[str, object]) -> bool:
        with self._database.connection() as connection:
            return connection.execute(query(statement), names).fetchone() is not None


class PostgresReadings:
    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, reading: Reading) -> None:
        limits = {"at_all": AT_ALL, "in_full": IN_FULL, "sparse": SPARSE}
        with self._database.connection() as connection:
            kept = connection.execute(query("keep_reading"), {"metrics": Jsonb(reading.flat)})
            if kept.rowcount:
                connection.execute(query("thin_readings"), limits)

    def first_within(self, ages: Collection[timedelta]) -> dict[timedelta, Reading]:
        with self._database.connection() as connection:
            rows = connection.execute(query("first_readings"), {"ages": list(ages)}).fetchall()
        return {row["age"]: Reading.told(row["metrics"]) for row in rows}

    def peaks(self, age: timedelta) -> Peaks:
        with self._database.connection() as connection:
            [row] = connection.execute(query("peaks"), {"age": age})
        return Peaks(**row)
