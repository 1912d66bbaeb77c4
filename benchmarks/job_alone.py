"""One new document at a time becomes a job: what the queue's statements take, and what storing its bytes adds."""

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import cast

from benchmarks.deployments import Home
from benchmarks.figures import Figures
from benchmarks.intake import Intake, intake_of
from ingest_assets.pipeline.ports.object_store import ObjectStore

FIRST_NOTE = 100_000
"""Beyond every other note of these measurements."""
WARM_UP = 10
"""Until connections are open and statements are prepared."""

ONE_ROW = "INSERT INTO one_row_floor (number) VALUES (%(number)s)"


class Nowhere:
    """An object store that keeps nothing."""

    def put(self, key: str, content: bytes) -> None:
        pass

    def delete_below(self, prefix: str) -> None:
        pass


def job_alone(home: Home, documents: int) -> Figures:
    """Return medians of as many documents; the floor is one row in a table with one index, committed."""
    stored = intake_of(home)
    unstored = Intake(replace(stored.intake, objects=cast("ObjectStore", Nowhere())))
    home.execute("CREATE TABLE one_row_floor (number integer PRIMARY KEY)")
    try:
        return {
            "job_made_ms": _milliseconds(_notes(unstored, FIRST_NOTE), documents),
            "job_made_and_stored_ms": _milliseconds(_notes(stored, 2 * FIRST_NOTE), documents),
            "job_made_floor_ms": _milliseconds(
                lambda number: home.database.execute(ONE_ROW, {"number": number}), documents
            ),
        }
    finally:
        home.execute("DROP TABLE one_row_floor")


def _notes(intake: Intake, first: int) -> Callable[[int], object]:
    return lambda number: intake.note(first + number)


def _milliseconds(make: Callable[[int], object], documents: int) -> float:
    seconds = []
    for number in range(WARM_UP + documents):
        begun = time.perf_counter()
        make(number)
        seconds.append(time.perf_counter() - begun)
    return 1000 * median(seconds[WARM_UP:])
