"""Where metrics come from in this deployment."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ingest_assets.domain.metrics import BUDGET_LIMIT, DAGSTER_UP, DATABASE_UP, Sample

if TYPE_CHECKING:
    from ingest_assets.composition.deployment import Deployment
    from ingest_assets.pipeline.measuring import Measuring
    from ingest_assets.settings import Settings


def make_measuring(deployment: "Deployment") -> "Measuring":
    """Return what collects all metrics that this process can give."""
    from ingest_assets.adapters.host import HostMeasurements, PoolMeasurements
    from ingest_assets.adapters.postgres.measuring import DagsterMeasurements, PostgresMeasurements
    from ingest_assets.pipeline.measuring import Measuring, Source

    settings = deployment.settings
    folders = {"home": settings.home_folder}
    if settings.stores_in_folder:
        folders["objects"] = settings.objects_folder
    return Measuring(
        (
            Source(PostgresMeasurements(deployment.measuring_database), DATABASE_UP),
            Source(DagsterMeasurements(lambda: deployment.plain_dagster_database_url), DAGSTER_UP),
            Source(Limits(settings)),
            Source(PoolMeasurements(deployment.database.statistics)),
            Source(HostMeasurements(folders)),
            Source(deployment.facts),
        ),
        deployment.clock,
    )


class Limits:
    """What the settings allow."""

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings

    def take(self) -> Iterator[Sample]:
        if self._settings.budget_usd_per_day is not None:
            yield Sample(BUDGET_LIMIT, (), self._settings.budget_usd_per_day)
