"""How long a deployment needs after a fault: until documents move again, and until none is left unfinished."""

import time
from dataclasses import dataclass
from statistics import median

import psycopg

from ingest_assets_tests.faults.harness.deployment.patient import Clients

POLL_SECONDS = 0.2
SUBMIT_EVERY = 3.0
LONGEST_SECONDS = 100.0

PROGRESS = """
SELECT (SELECT count(*) FROM upload_pipeline.upload_jobs WHERE state NOT IN ('done', 'deadletter')) AS unfinished,
    (SELECT extract(epoch FROM min(occurred_at))::float FROM upload_pipeline.events
     WHERE state = 'done' AND occurred_at > to_timestamp(%(since)s)) AS moved"""


@dataclass(frozen=True, slots=True)
class Recovery:
    fault: str
    moved: float | None
    """Seconds after the fault until a document became searchable."""
    settled: float | None
    """Seconds until every document had ended, including one that was submitted after the fault."""


def await_recovery(patient: Clients, fault: str, since: float, *, calls: bool) -> Recovery:
    """Wait until nothing is unfinished any more.

    Args:
        patient: The deployment.
        fault: What it recovers from.
        since: When the fault was over, in seconds since 1970.
        calls: Whether owners may repeat meanwhile what was not accepted.
    """
    moved, tried = None, 0.0
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        pending = any(True for _ in patient.library.pending())
        if calls and pending and time.monotonic() - tried > SUBMIT_EVERY:
            tried, pending = time.monotonic(), not patient.submit_pending()
        try:
            [row] = patient.database.try_rows(PROGRESS, since=since)
        except psycopg.Error:
            continue
        moved = row["moved"] or moved
        if row["unfinished"] == 0 and (not pending or not calls):
            return Recovery(fault, _after(since, moved), time.time() - since)
    return Recovery(fault, _after(since, moved), None)


def _after(since: float, moment: float | None) -> float | None:
    return None if moment is None else max(0.0, moment - since)


def summary(recoveries: list[Recovery]) -> list[tuple[str, int, float | None, float | None]]:
    """Return for each fault how often it struck, and its median and worst recovery; None where there was none."""
    rows = []
    for name in dict.fromkeys(each.fault for each in recoveries):
        times = [each.settled for each in recoveries if each.fault == name]
        known = [seconds for seconds in times if seconds is not None]
        worst = None if len(known) < len(times) else max(known)
        rows.append((name, len(times), median(known) if known else None, worst))
    return rows
