"""Old runs leave with their events, unless the state of a listed document is read from them.

Dagster reads a partition's state from events: from its newest materialization, or from the failed run that was to make
a newer one. Such a run stays as long as the document is listed; without it a finished document would look as if nobody
had ever worked on it. Whatever a later run has superseded goes.
"""

from collections.abc import Iterator, Set
from datetime import datetime

import dagster as dg
from dagster import DagsterEventType
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from dagster._core.storage.tags import BACKFILL_ID_TAG

from ingest_assets.domain.retention import RetentionPolicy, history_begins
from ingest_assets.orchestration.assets import ASSETS
from ingest_assets.orchestration.checks import CHECKS
from ingest_assets.orchestration.instance import forget_run
from ingest_assets.orchestration.partitions import documents
from ingest_assets.orchestration.resources import Pipeline

FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
UNDER_WAY = [BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING, BulkActionStatus.FAILING]
ASSET_KEYS = [asset.key for asset in ASSETS]
CHECK_KEYS = [key for check in CHECKS for key in check.check_keys]

BATCH_SIZE = 1000
"""Events read at once."""
LONGEST_SECONDS = 600
"""Of one run; the next one goes on."""


@dg.op(description="Deletes runs that ended before the retention, with their events and logs, oldest first.")
def forget_old_runs(
    context: dg.OpExecutionContext, pipeline: dg.ResourceParam[Pipeline], retention: dg.ResourceParam[RetentionPolicy]
) -> dict[str, int]:
    instance, clock = context.instance, pipeline.services.clock
    deadline = clock.seconds() + LONGEST_SECONDS
    before = history_begins(retention, clock.now())
    old = [] if before is None else old_runs(instance, before)
    needed = set() if before is None or not old else needed_runs(instance, before)
    forgotten = 0
    for run_id in old:
        if run_id not in needed and clock.seconds() < deadline:
            forget_run(instance, run_id, CHECK_KEYS)
            forgotten += 1
    summary = {"old": len(old), "forgotten": forgotten}
    context.add_output_metadata(summary)
    return summary


@dg.job(description="Keeps the history of runs within its retention.")
def purge_runs() -> None:
    forget_old_runs()


def old_runs(instance: dg.DagsterInstance, before: datetime) -> list[str]:
    """Finished ones, oldest first."""
    newest_first = instance.get_run_ids(dg.RunsFilter(statuses=FINISHED, updated_before=before))
    return list(reversed(newest_first))


def needed_runs(instance: dg.DagsterInstance, before: datetime) -> set[str]:
    """The runs among those older than `before` from which the UI reads what it shows of listed documents."""
    listed = set(instance.get_dynamic_partitions(str(documents.name)))
    checks = instance.event_log_storage.get_latest_asset_check_execution_by_key(CHECK_KEYS)
    needed = {check.run_id for check in checks.values()}
    for asset_key in ASSET_KEYS:
        needed.update(_runs_of_latest_materializations(instance, asset_key, listed, before))
        needed.update(_runs_of_latest_failures(instance, asset_key, listed))
    for backfill_id in backfills_under_way(instance):
        needed.update(instance.get_run_ids(dg.RunsFilter(tags={BACKFILL_ID_TAG: backfill_id})))
    return needed


def backfills_under_way(instance: dg.DagsterInstance) -> list[str]:
    return [found.backfill_id for found in instance.get_backfills(filters=BulkActionsFilter(statuses=UNDER_WAY))]


def _runs_of_latest_materializations(
    instance: dg.DagsterInstance, asset_key: dg.AssetKey, listed: Set[str], before: datetime
) -> Iterator[str]:
    old = instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key, before_timestamp=before.timestamp()), 1
    ).records
    latest = instance.get_latest_storage_id_by_partition(asset_key, DagsterEventType.ASSET_MATERIALIZATION)
    ids = [number for key, number in latest.items() if key in listed and old and number <= old[0].storage_id]
    for start in range(0, len(ids), BATCH_SIZE):
        wanted = dg.AssetRecordsFilter(asset_key, storage_ids=ids[start : start + BATCH_SIZE])
        yield from (record.run_id for record in instance.fetch_materializations(wanted, BATCH_SIZE).records)
    newest = instance.get_latest_materialization_event(asset_key)
    if newest is not None:
        yield newest.run_id


def _runs_of_latest_failures(instance: dg.DagsterInstance, asset_key: dg.AssetKey, listed: Set[str]) -> Iterator[str]:
    storage = instance.event_log_storage
    attempts = storage.get_latest_asset_partition_materialization_attempts_without_materializations(asset_key)
    yield from (run_id for key, (run_id, _) in attempts.items() if key in listed)
