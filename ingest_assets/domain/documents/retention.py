"""How much of what is finished Dagster goes on showing. Postgres keeps all of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    partitions: int | None = 50_000
    """How many finished documents stay partitions, the newest first; None: all of them."""
    history: timedelta | None = timedelta(days=30)
    """How long a finished run stays that no partition's state is read from; None: for ever."""


@dataclass(frozen=True, slots=True)
class ListedDocuments:
    """How many documents are partitions in Dagster, without those that are unfinished or failed."""

    finished: int
    deleted: int
    """Gone from Postgres; Dagster may have forgotten them already."""


def surplus(policy: RetentionPolicy, listed: ListedDocuments) -> ListedDocuments:
    """How many of the listed documents are to lose their partition."""
    finished = 0 if policy.partitions is None else max(0, listed.finished - policy.partitions)
    return ListedDocuments(finished, listed.deleted)


def history_begins(policy: RetentionPolicy, now: datetime) -> datetime | None:
    """Runs that ended before are old; None where none ever is."""
    return None if policy.history is None else now - policy.history
