"""Dagster, and only Dagster: what runs when, over which partitions, and how it shows.

Nothing here knows Postgres or a file; the work itself is in `ingest_assets.pipeline`. A process of Dagster's is guarded
from when it loads this: by the definitions, or by what `dagster.yaml` names.
"""

import warnings

from ingest_assets.orchestration.boundary import TELLING, guard_errors
from ingest_assets.posix.guarded_process import guard_process

# Dagster warns of a default of its own, in every process that loads definitions with a sensor.
warnings.filterwarnings("ignore", message="Parameter `owners` of initializer")
guard_process(*TELLING)
guard_errors()
