"""How many finished documents and runs Dagster keeps showing. Postgres keeps all of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    partitions: int | None = 50_000
    """How many finished documents keep their partition, newest first; None means all of them."""
    history: timedelta | None = timedelta(days=30)
    """How long to keep a finished run that no partition's state comes from; None means forever."""


@dataclass(frozen=True, slots=True)
class ListedDocuments:
    """How many documents have a partition in Dagster, without those that are unfinished or failed."""

    finished: int
    deleted: int
    """Documents that are gone from Postgres; Dagster may have forgotten them already."""


def surplus(policy: RetentionPolicy, listed: ListedDocuments) -> ListedDocuments:
    """Return how many of the listed documents lose their partition."""
    finished = 0 if policy.partitions is None else max(0, listed.finished - policy.partitions)
    return ListedDocuments(finished, listed.deleted)


def history_begins(policy: RetentionPolicy, now: datetime) -> datetime | None:
    """Return the time before which runs are old, or None if they never are."""
    return None if policy.history is None else now - policy.history
