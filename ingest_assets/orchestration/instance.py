"""The Dagster instance of a deployment: its home, its settings, its storage."""

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, DynamicPartitionsTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage

from ingest_assets.orchestration.partitions import documents
from ingest_assets.posix.files import replacing
from ingest_assets.shipped import shipped


def prepare_instance(home: Path, storage_url: str) -> dg.DagsterInstance:
    """Makes this process and its children use the instance; its tables are there when this returns.

    `storage_url` as SQLAlchemy spells it, with psycopg2 for a driver.
    """
    home.mkdir(parents=True, exist_ok=True)
    for name in ("dagster.yaml", "workspace.yaml"):
        _place(shipped(name), home / name)
    os.environ |= {
        "DAGSTER_HOME": str(home),
        "INGEST_DAGSTER_DATABASE_URL": storage_url,
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    return dg.DagsterInstance.from_config(str(home))


def _place(source: Path, target: Path) -> None:
    """Copy a file unless it is the same already; another process may be reading it meanwhile."""
    if target.exists() and target.read_bytes() == source.read_bytes():
        return
    with replacing(target) as file:
        file.write_bytes(source.read_bytes())


def forget_partitions(instance: dg.DagsterInstance, keys: Sequence[str]) -> None:
    """In one statement, as they were added: Dagster's own way, key by key, is sixty times as expensive."""
    listed = DynamicPartitionsTable.c
    with _tables(instance) as connection:
        ours = listed.partitions_def_name == str(documents.name)
        connection.execute(DynamicPartitionsTable.delete().where(ours, listed.partition.in_(keys)))


def forget_run(instance: dg.DagsterInstance, run_id: str, checks: Sequence[dg.AssetCheckKey]) -> None:
    """Deletes a run with its events. The run itself goes last: a crash in between leaves it to be found again."""
    _forget_check_results(instance, run_id, checks)
    instance.event_log_storage.delete_events(run_id)
    instance.run_storage.delete_run(run_id)


def _forget_check_results(instance: dg.DagsterInstance, run_id: str, checks: Sequence[dg.AssetCheckKey]) -> None:
    """Dagster has no way of its own to delete them."""
    results = AssetCheckExecutionsTable.c
    with _tables(instance) as connection:
        for check in checks:
            whose = (results.asset_key == check.asset_key.to_string(), results.check_name == check.name)
            connection.execute(AssetCheckExecutionsTable.delete().where(*whose, results.run_id == run_id))


def _tables(instance: dg.DagsterInstance) -> AbstractContextManager[Any]:
    """Internal to Dagster, hence the exact pin."""
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        raise TypeError("Dagster keeps its events elsewhere than in a database")
    return storage.index_connection()
