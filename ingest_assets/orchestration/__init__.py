"""Dagster: what runs when, for which partitions, and what Dagster's page shows.

Nothing here uses Postgres or files directly; the work itself is in `ingest_assets.pipeline`. Importing this package
changes nothing in Dagster. What has to be changed to protect documents is in `dagster_internals.install`.
"""
