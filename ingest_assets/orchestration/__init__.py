"""Dagster, and only Dagster: what runs when, over which partitions, and how it shows.

Nothing here knows Postgres or a file; the work itself is in `ingest_assets.pipeline`.
"""

import warnings

# Dagster warns of a default of its own, in every process that loads definitions with a sensor.
warnings.filterwarnings("ignore", message="Parameter `owners` of initializer")
