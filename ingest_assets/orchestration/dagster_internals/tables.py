"""Rows in Dagster's own database that Dagster deletes one by one, or not at all.

This module uses tables of the event log (`DynamicPartitionsTable`, `AssetCheckExecutionsTable` and
`SqlEventLogStorageTable`) and the storage's connection to them. `DagsterInstance.delete_dynamic_partition` takes one
key and costs sixty times as much as a key in a long list, and Dagster can delete neither results of asset checks nor
what a run has planned.
"""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from typing import Any

import dagster as dg
from dagster import DagsterEventType
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    DynamicPartitionsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage


def delete_partitions(instance: dg.DagsterInstance, definition: str, keys: Sequence[str]) -> None:
    """Delete keys of a dynamic partitions definition with one statement."""
    listed = DynamicPartitionsTable.c
    with _tables(instance) as connection:
        named = listed.partitions_def_name == definition
        connection.execute(DynamicPartitionsTable.delete().where(named, listed.partition.in_(keys)))


def delete_check_results(instance: dg.DagsterInstance, run_id: str, checks: Sequence[dg.AssetCheckKey]) -> None:
    """Delete the results of these checks in a run."""
    results = AssetCheckExecutionsTable.c
    with _tables(instance) as connection:
        for check in checks:
            whose = (results.asset_key == check.asset_key.to_string(), results.check_name == check.name)
            connection.execute(AssetCheckExecutionsTable.delete().where(*whose, results.run_id == run_id))


def delete_plans(
    instance: dg.DagsterInstance, run_id: str, *, assets: Collection[dg.AssetKey], checked: Collection[dg.AssetKey]
) -> None:
    """Forget that a run was to materialize `assets`, and to evaluate checks of `checked` that it has not evaluated."""
    events, results = SqlEventLogStorageTable.c, AssetCheckExecutionsTable.c
    planned = events.dagster_event_type == DagsterEventType.ASSET_MATERIALIZATION_PLANNED.value
    unevaluated = results.execution_status == AssetCheckExecutionRecordStatus.PLANNED.value
    with _tables(instance) as connection:
        made = events.asset_key.in_([asset.to_string() for asset in assets])
        connection.execute(SqlEventLogStorageTable.delete().where(events.run_id == run_id, planned, made))
        whose = results.asset_key.in_([asset.to_string() for asset in checked])
        connection.execute(AssetCheckExecutionsTable.delete().where(results.run_id == run_id, unevaluated, whose))


def _tables(instance: dg.DagsterInstance) -> AbstractContextManager[Any]:
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        raise TypeError("Dagster does not keep its events in a database")
    return storage.index_connection()
