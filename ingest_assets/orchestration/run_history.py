"""Which runs are old, and from which of them the UI still reads something.

The UI reads a partition's state from events: from its newest materialization, or from the failed run that should have
made a newer one. Without that run, a finished document would look as if it had never been processed.
"""

from collections.abc import Iterator, Sequence, Set
from datetime import datetime

import dagster as dg
from dagster import DagsterEventType

from ingest_assets.orchestration.assets import ASSETS
from ingest_assets.orchestration.checks import CHECKS
from ingest_assets.orchestration.dagster_internals import backfills
from ingest_assets.orchestration.dagster_internals.backfills import IMPLICIT_ASSET_JOB_NAME, runs_of_backfill
from ingest_assets.orchestration.partitions import documents

FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
ASSET_KEYS = frozenset(asset.key for asset in ASSETS)
CHECK_KEYS = [key for check in CHECKS for key in check.check_keys]
PAGE = 1000


def old_runs(instance: dg.DagsterInstance, jobs: Sequence[str], before: datetime) -> list[str]:
    """Return finished runs of these Dagster jobs and of our assets, oldest first within each.

    Other projects may share the instance; their runs are left out.
    """
    found: list[str] = []
    for job in jobs:
        found += reversed(instance.get_run_ids(_finished(job, before)))
    of_assets = [run.run_id for run in _runs(instance, _finished(IMPLICIT_ASSET_JOB_NAME, before)) if _is_ours(run)]
    return found + of_assets[::-1]


def needed_runs(instance: dg.DagsterInstance, before: datetime) -> set[str]:
    """Return the runs from which the UI reads what it shows about listed documents.

    Runs that ended after `before` may be missing.
    """
    listed = set(instance.get_dynamic_partitions(str(documents.name)))
    checks = instance.event_log_storage.get_latest_asset_check_execution_by_key(CHECK_KEYS)
    needed = {check.run_id for check in checks.values()}
    for asset_key in ASSET_KEYS:
        needed.update(_runs_of_latest_materializations(instance, asset_key, listed, before))
        needed.update(_runs_of_latest_failures(instance, asset_key, listed))
    for backfill_id in backfills_under_way(instance):
        needed.update(instance.get_run_ids(runs_of_backfill(backfill_id)))
    return needed


def backfills_under_way(instance: dg.DagsterInstance) -> list[str]:
    """Return the ids of backfills of our assets and of whole Dagster jobs."""
    found = backfills.backfills_under_way(instance)
    return [each.backfill_id for each in found if not each.asset_selection or ASSET_KEYS & set(each.asset_selection)]


def _finished(job: str, before: datetime) -> dg.RunsFilter:
    return dg.RunsFilter(job_name=job, statuses=FINISHED, updated_before=before)


def _runs(instance: dg.DagsterInstance, wanted: dg.RunsFilter) -> Iterator[dg.DagsterRun]:
    """Yield runs, newest first, a page at a time."""
    cursor = None
    while page := instance.get_runs(wanted, cursor=cursor, limit=PAGE):
        yield from page
        cursor = page[-1].run_id


def _is_ours(run: dg.DagsterRun) -> bool:
    """Return whether all of its assets are ours: runs of assets chosen in the UI share one job name."""
    return bool(run.asset_selection) and ASSET_KEYS.issuperset(run.asset_selection or ())


def _runs_of_latest_materializations(
    instance: dg.DagsterInstance, asset_key: dg.AssetKey, listed: Set[str], before: datetime
) -> Iterator[str]:
    last_old = dg.AssetRecordsFilter(asset_key, before_timestamp=before.timestamp())
    for record in instance.fetch_materializations(last_old, limit=1).records:
        latest = instance.get_latest_storage_id_by_partition(asset_key, DagsterEventType.ASSET_MATERIALIZATION)
        ids = [number for key, number in latest.items() if key in listed and number <= record.storage_id]
        for start in range(0, len(ids), PAGE):
            wanted = dg.AssetRecordsFilter(asset_key, storage_ids=ids[start : start + PAGE])
            yield from (found.run_id for found in instance.fetch_materializations(wanted, limit=PAGE).records)
    newest = instance.get_latest_materialization_event(asset_key)
    if newest is not None:
        yield newest.run_id


def _runs_of_latest_failures(instance: dg.DagsterInstance, asset_key: dg.AssetKey, listed: Set[str]) -> Iterator[str]:
    storage = instance.event_log_storage
    attempts = storage.get_latest_asset_partition_materialization_attempts_without_materializations(asset_key)
    yield from (run_id for key, (run_id, _) in attempts.items() if key in listed)
