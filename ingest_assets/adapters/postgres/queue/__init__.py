"""The queue in Postgres: claims, changes, buffers, and what Dagster has been told."""
