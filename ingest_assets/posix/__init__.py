"""Processes and files as several layers need them, each technique once.

This package knows nothing of documents, Postgres or Dagster. It works on Linux and macOS; calls that only Linux has are
guarded. The sealed parser worker imports from here, so each module imports little.
"""
