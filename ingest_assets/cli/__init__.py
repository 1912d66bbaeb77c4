"""The `ingest` command."""

from ingest_assets.cli.app import main

__all__ = ["main"]
