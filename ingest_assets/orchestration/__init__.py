"""Dagster, and only Dagster: what runs when, over which partitions, and how it shows.

Nothing here knows Postgres or a file; the work itself is in `ingest_assets.pipeline`. Importing this package changes
nothing in Dagster: what has to be changed for documents' sake is in `dagster_internals`, and is changed by `install`.
"""
