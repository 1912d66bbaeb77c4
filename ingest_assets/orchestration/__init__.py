"""Dagster, and only Dagster: what runs when, over which partitions, and how it shows.

Nothing here knows Postgres or a file; the work itself is in `ingest_assets.pipeline`.
"""
