"""Make Dagster's view agree with the queue where a run or its worker died.

A document is finished by the queue, whoever began it. Dagster still shows its partition as failed, if the run that died
was the last it heard of, and a backfill counts only what its own runs have made.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import dagster as dg
from dagster import DagsterEventType

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.orchestration.assets import ASSETS
from ingest_assets.orchestration.batch_reporting import report_all
from ingest_assets.orchestration.dagster_internals import backfills
from ingest_assets.orchestration.dagster_internals.backfills import Graph, Partition, PartitionBackfill
from ingest_assets.orchestration.instance import dagster_id
from ingest_assets.orchestration.partitions import PARTITION_TAG, documents_of
from ingest_assets.orchestration.run_history import ASSET_KEYS
from ingest_assets.orchestration.workers import LIVE
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.reporting import Reports

ENDED_BADLY = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
MOST_RUNS = 1000
LOOKING_BACK = timedelta(hours=1)
"""How long after a run has failed its partition is looked at."""
BACKFILLS_SINCE = timedelta(days=1)
OVERDUE = timedelta(seconds=60)
"""How long a finished document may wait for a drain run to report it."""


def has_work(instance: dg.DagsterInstance, reports: Reports, now: datetime) -> bool:
    """Return whether Dagster shows something that is not so."""
    return (
        reports.overdue(OVERDUE)
        or bool(outdated_documents(instance, reports, now))
        or any(True for _ in outdated_backfills(instance, backfills.graph_of(ASSETS), now))
    )


def outdated_documents(instance: dg.DagsterInstance, reports: Reports, now: datetime) -> list[DocumentId]:
    """Return finished documents whose partitions Dagster shows as failed, because the last run on them died."""
    failed = dg.RunsFilter(statuses=ENDED_BADLY, updated_after=now - LOOKING_BACK)
    keys = _keys_of(instance.get_runs(failed, limit=MOST_RUNS))
    if not keys:
        return []
    keys -= _keys_of(instance.get_runs(dg.RunsFilter(statuses=LIVE), limit=MOST_RUNS))
    behind = {key for asset_key in ASSET_KEYS for key in keys - _up_to_date(instance, asset_key, keys)}
    return reports.told(list(documents_of(sorted(behind))), dagster_id(instance)) if behind else []


def outdated_backfills(
    instance: dg.DagsterInstance, graph: Graph, now: datetime
) -> Iterator[tuple[PartitionBackfill, set[Partition]]]:
    """Yield backfills that ended as failed, with the failed partitions that have been materialized since."""
    for backfill in backfills.failed_backfills(instance, graph, now - BACKFILLS_SINCE):
        failed = backfills.failed_partitions(backfill, graph)
        made: set[Partition] = set()
        for asset_key in ASSET_KEYS & {asset_key for asset_key, _ in failed}:
            keys = {key for asset, key in failed if asset == asset_key}
            began = backfill.backfill_timestamp
            up_to_date = _materialized(instance, asset_key, keys, began) & _up_to_date(instance, asset_key, keys)
            made |= {(asset_key, key) for key in up_to_date}
        if made:
            yield backfill, made


@dg.op(description="Reports finished documents of dead workers and runs, and counts them in backfills.")
def reconcile_with_queue(
    context: dg.OpExecutionContext, reports: dg.ResourceParam[Reports], clock: dg.ResourceParam[Clock]
) -> dict[str, int]:
    instance, graph = context.instance, backfills.graph_of(ASSETS)
    outdated = outdated_documents(instance, reports, clock.now())
    reports.repeat(outdated)
    report_all(context, reports, dagster_id(instance))
    corrected = list(outdated_backfills(instance, graph, clock.now()))
    for backfill, materialized in corrected:
        backfills.reconcile(instance, backfill, graph, materialized)
    summary = {"documents": len(outdated), "backfills": len(corrected)}
    context.add_output_metadata(summary)
    return summary


@dg.job(description="Makes Dagster's view agree with the queue where a run or its worker died.")
def reconcile_dagster() -> None:
    reconcile_with_queue()


def _keys_of(runs: Sequence[dg.DagsterRun]) -> set[str]:
    return {run.tags[PARTITION_TAG] for run in runs if PARTITION_TAG in run.tags and _is_ours(run)}


def _is_ours(run: dg.DagsterRun) -> bool:
    return run.asset_selection is None or not ASSET_KEYS.isdisjoint(run.asset_selection)


def _up_to_date(instance: dg.DagsterInstance, asset_key: dg.AssetKey, keys: set[str]) -> set[str]:
    """Return those of the partitions whose newest materialization is newer than the newest plan to make it."""
    made = instance.get_latest_storage_id_by_partition(asset_key, DagsterEventType.ASSET_MATERIALIZATION, keys)
    planned = instance.get_latest_storage_id_by_partition(
        asset_key, DagsterEventType.ASSET_MATERIALIZATION_PLANNED, keys
    )
    return {key for key, number in made.items() if number > planned.get(key, 0)}


def _materialized(instance: dg.DagsterInstance, asset_key: dg.AssetKey, keys: set[str], since: float) -> set[str]:
    wanted = dg.AssetRecordsFilter(asset_key, asset_partitions=list(keys), after_timestamp=since)
    records = instance.fetch_materializations(wanted, limit=MOST_RUNS).records
    return {record.partition_key for record in records if record.partition_key is not None}
