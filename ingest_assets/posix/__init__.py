"""Craft of processes and files that several layers need, each piece once.

It knows nothing of documents, Postgres or Dagster and works on Linux and macOS; what only Linux has is guarded where it
is used. The sealed parser worker imports from here, so each module imports little.
"""
