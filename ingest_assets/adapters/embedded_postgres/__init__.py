"""Postgres without an installation: the binaries of a Python package, run and stopped by its users themselves."""

from ingest_assets.adapters.embedded_postgres.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres"]
