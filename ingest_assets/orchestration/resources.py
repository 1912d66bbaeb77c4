"""The pipeline's services as a Dagster resource: made on first use, so that definitions load without any I/O."""

from collections.abc import Callable
from dataclasses import dataclass

from ingest_assets.pipeline.services import Services


@dataclass(frozen=True)
class Pipeline:
    """Gives the services of this process."""

    make: Callable[[], Services]

    @property
    def services(self) -> Services:
        return self.make()
