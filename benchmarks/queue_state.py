"""Where a deployment's queue and its vector index stand, and waiting for both."""

from dataclasses import dataclass
from typing import Any

from benchmarks.deployments import PATIENCE_SECONDS, Home, wait_until

POLL_SECONDS = 0.1

UNFINISHED = """SELECT EXISTS (SELECT FROM upload_pipeline.upload_jobs WHERE state IN ('queued', 'retryable'))
    OR EXISTS (SELECT FROM upload_pipeline.upload_jobs WHERE state = 'working') AS found"""

UNREPORTED = """SELECT EXISTS (SELECT FROM upload_pipeline.upload_jobs
    WHERE state IN ('done', 'deadletter') AND reported_at IS NULL) AS found"""

TIMES = """SELECT extract(epoch FROM min(finished_at))::float AS first,
    extract(epoch FROM max(finished_at))::float AS last,
    extract(epoch FROM max(reported_at))::float AS reported, count(*) FILTER (WHERE state = 'done') AS done
FROM upload_pipeline.upload_jobs"""

BEGUN = (
    """SELECT extract(epoch FROM min(occurred_at))::float AS at FROM upload_pipeline.events WHERE state = 'working'"""
)

FINISHED = """SELECT extract(epoch FROM finished_at)::float AS at FROM upload_pipeline.upload_jobs
WHERE finished_at IS NOT NULL ORDER BY finished_at"""


@dataclass(frozen=True, slots=True)
class Ended:
    """Times in seconds since 1970."""

    first: float
    """When the first document was done."""
    last: float
    indexed: float
    """When the last document was done and the vectors were indexed as the policy wants them."""
    reported: float
    """When Dagster had been told of the last document."""


def wait_for_end(home: Home, documents: int) -> Ended:
    """Raises AssertionError where a document failed, TimeoutError."""
    wait_for_empty_queue(home)
    was_indexed = is_indexed(home)
    seen = wait_until(lambda: is_indexed(home), "the vector index", every=POLL_SECONDS)
    wait_until(lambda: not home.row(UNREPORTED)["found"], "the last report", every=POLL_SECONDS)
    times = _times(home, documents)
    return Ended(times["first"], times["last"], times["last"] if was_indexed else seen, times["reported"])


def wait_until_done(home: Home, documents: int) -> None:
    """Wait for the documents alone. Raises AssertionError where a document failed, TimeoutError."""
    wait_for_empty_queue(home)
    _times(home, documents)


def wait_for_empty_queue(home: Home, seconds: float = PATIENCE_SECONDS) -> float:
    """Return when the queue was empty, as the wall clock says. Raises TimeoutError."""
    return wait_until(
        lambda: not home.row(UNFINISHED)["found"], "the end of the queue", seconds=seconds, every=POLL_SECONDS
    )


def _times(home: Home, documents: int) -> dict[str, Any]:
    times = home.row(TIMES)
    assert times["done"] == documents, f"{times['done']} of {documents} documents are done"
    return times


def is_indexed(home: Home) -> bool:
    """Whether nobody is building an index, and none is due."""
    deployment = home.deployment
    return deployment.vector_index.state(deployment.embedder.model) is not None and not deployment.index_keeper.is_due()


def first_claim(home: Home) -> float:
    return float(home.row(BEGUN)["at"])


def finish_times(home: Home) -> list[float]:
    """One per finished document, ascending."""
    return [row["at"] for row in home.rows(FINISHED)]
