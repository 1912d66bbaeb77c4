"""Find the numbers that dashboards show, and make the dashboards of them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from ingest_assets.domain.dashboards.business import business
from ingest_assets.domain.dashboards.debugging import debugging
from ingest_assets.domain.dashboards.figures import Figures
from ingest_assets.domain.dashboards.operations import HOURS, operations
from ingest_assets.domain.dashboards.panels import Dashboard
from ingest_assets.domain.metrics import Sample
from ingest_assets.domain.predictions import predict_month, predict_work
from ingest_assets.domain.spending.costs import ProviderCosts, by_day
from ingest_assets.pipeline.ports.operating import Flows, Pauses
from ingest_assets.pipeline.ports.recording import Records

REMEMBERED = 1000
"""From how many documents durations are learnt."""


class Dashboards:
    """The three dashboards as they are now."""

    def __init__(
        self,
        flows: Flows,
        pauses: Pauses,
        records: Records,
        measure: Callable[[], Sequence[Sample]],
        costs_by_day: Callable[[], Sequence[ProviderCosts]],
        promise: timedelta,
    ) -> None:
        self._flows = flows
        self._pauses = pauses
        self._records = records
        self._measure = measure
        self._costs_by_day = costs_by_day
        self._promise = promise

    def make(self) -> tuple[datetime, tuple[Dashboard, ...]]:
        """Return the moment and the dashboards.

        Raises:
            IngestError: The database does not answer.
        """
        figures = self._figures()
        return figures.at, (operations(figures), business(figures), debugging(figures))

    def _figures(self) -> Figures:
        flow = self._flows.flow()
        at = flow.at.astimezone(UTC)
        costs = self._costs_by_day()
        return Figures(
            at=at,
            flow=flow,
            pauses=self._pauses.all(),
            samples=self._measure(),
            hours=self._records.hours(timedelta(hours=HOURS)),
            days=self._records.days(self._promise),
            growth=self._records.growth(),
            costs=costs,
            promise=self._promise,
            work=predict_work(self._records.past_work(REMEMBERED), self._records.unfinished_work()),
            month=predict_month(by_day(costs), at.date()),
        )
