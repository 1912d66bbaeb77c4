"""Metrics out of Postgres. Counters are carried forward in `totals`: each scrape adds what has happened since the last.

Everything is asked as the worker, whose rows are everybody's; what leaves are numbers.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import psycopg
from psycopg import Connection

from ingest_assets.adapters.postgres.connections import Row
from ingest_assets.adapters.postgres.database import Database, connected
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.writers import EVENTS, PAID_CALLS, writers_have_ended
from ingest_assets.domain.errors import CATALOGUE, ResourceError
from ingest_assets.domain.metrics import BY_NAME, CALL, FAILURES_TOTAL, OTHER, STEP, WAY, Kind, Metric, Sample, added_up

AT_ONCE = 20_000
"""How many events, and how many calls of a provider, one scrape counts at most: later ones make up for the rest."""
PATIENCE_SECONDS = 0.25
"""How long a scrape waits for transactions that are writing; if one takes longer, the next scrape counts."""
POLL_SECONDS = 0.01


class PostgresMeasurements:
    """Measures the queue, and carries the totals forward."""

    def __init__(
        self, database: Database, *, at_once: int = AT_ONCE, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._database = database
        self._at_once = at_once
        self._pause = pause

    def take(self) -> list[Sample]:
        with self._database.connection() as connection:
            [ends] = connection.execute(query("history_ends"))
            if self._may_count(connection):
                self._carry_forward(connection, ends)
            rows = connection.execute(query("read_totals"), {"last_event": ends["event_id"]}).fetchall()
            for statement in ("measure_queue", "measure_rest"):
                rows += connection.execute(query(statement)).fetchall()
        return samples_of(rows)

    def _may_count(self, connection: Connection[Row]) -> bool:
        """Return whether nobody can yet show what lies before now: what is counted must not get company later."""
        return writers_have_ended(
            connection, EVENTS, PAID_CALLS, patience=PATIENCE_SECONDS, poll=POLL_SECONDS, pause=self._pause
        )

    def _carry_forward(self, connection: Connection[Row], ends: Row) -> None:
        with connection.transaction():
            connection.execute(query("begin_totals"))
            counted = {row["source"]: row["position"] for row in connection.execute(query("lock_totals"))}
            for source, position in counted.items():
                if source == "events":
                    self._count_events(connection, position, ends["event_id"])
                else:
                    self._count_calls(connection, source, position, ends["now"])

    def _count_events(self, connection: Connection[Row], after: int, newest: int) -> None:
        if newest > after:
            names = {"after_event": after, "last_event": min(newest, after + self._at_once)}
            connection.execute(query("count_events"), names | _buckets("way", WAY) | _buckets("step", STEP))

    def _count_calls(self, connection: Connection[Row], provider: str, after: int, now: int) -> None:
        names = {"provider": provider, "after_time": after, "until": max(after, now), "limit": self._at_once}
        connection.execute(query("count_calls"), names | _buckets("call", CALL))


class DagsterMeasurements:
    """Measures Dagster's daemon and sensors in its database, without loading Dagster."""

    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url

    def take(self) -> list[Sample]:
        try:
            with connected(self._url()) as connection:
                return samples_of(connection.execute(query("measure_dagster")).fetchall())
        except psycopg.Error as error:  # the tables are Dagster's, and may be others or closed
            raise ResourceError("database_failed", found=error.sqlstate) from None


def samples_of(rows: Iterable[Mapping[str, Any]]) -> list[Sample]:
    """Return rows as samples, without those of a metric that only another release knows."""
    known = (row for row in rows if row["metric"] in BY_NAME)
    return added_up(_sample(BY_NAME[row["metric"]], row["labels"], float(row["value"])) for row in known)


def _sample(metric: Metric, labels: list[str], value: float) -> Sample:
    bound = labels.pop() if metric.kind is Kind.HISTOGRAM else None
    if "code" in metric.labels:
        code = metric.labels.index("code")
        problem = CATALOGUE.get(labels[code])
        labels[code] = labels[code] if problem else OTHER
        if metric is FAILURES_TOTAL:
            labels.append(problem.error.kind if problem else OTHER)
    return Sample(metric, tuple(labels), value, bound)


def _buckets(name: str, metric: Metric) -> dict[str, object]:
    return {f"{name}_bounds": list(metric.bounds), f"{name}_names": list(metric.bound_names)}
