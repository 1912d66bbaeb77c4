"""What dashboards are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ingest_assets.domain.metrics import Sample
from ingest_assets.domain.predictions import MonthPrediction, TooLittle, WorkPrediction
from ingest_assets.domain.queue.flow import Flow
from ingest_assets.domain.queue.pauses import Pause
from ingest_assets.domain.spending.costs import ProviderCosts


@dataclass(frozen=True, slots=True)
class Hour:
    """What became searchable within an hour."""

    hour: datetime
    searchable: int


@dataclass(frozen=True, slots=True)
class Day:
    """What has become of the documents that were last queued on a UTC day."""

    day: date
    queued: int
    users: int
    """Whose they are."""
    searchable: int
    dead_letters: int
    in_time: int
    """Searchable within the promised time."""
    due: int
    """Finished, or older than the promised time."""


@dataclass(frozen=True, slots=True)
class Growth:
    """What was new on a UTC day, of what is there now."""

    day: date
    users: int
    documents: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything at one moment."""

    at: datetime
    flow: Flow
    pauses: Sequence[Pause]
    samples: Sequence[Sample]
    hours: Sequence[Hour]
    days: Sequence[Day]
    growth: Sequence[Growth]
    costs: Sequence[ProviderCosts]
    """By day."""
    promise: timedelta
    """How soon a document should be searchable."""
    work: WorkPrediction | TooLittle
    """When everything that waits will be done."""
    month: MonthPrediction | TooLittle
