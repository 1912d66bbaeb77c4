"""Dagster's own id of its storage, which instances that share a database share.

This module uses a method of Dagster's SQL storages for runs that the base class of such storages does not have.
"""

import dagster as dg
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage


def storage_id(instance: dg.DagsterInstance) -> str:
    """Return the id, which Dagster makes when it is first asked."""
    storage = instance.run_storage
    if not isinstance(storage, SqlRunStorage):
        raise TypeError("Dagster does not keep its runs in a database")
    return storage.get_run_storage_id()
