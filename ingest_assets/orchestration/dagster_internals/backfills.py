"""Backfills, and the Dagster job to which runs of selected assets belong.

This module uses the filter and the states of backfills, the tag on their runs, what a backfill records of its
partitions, and the name of the Dagster job for assets that are selected in the UI. Dagster shows all of these, but
exports none of them. A backfill counts only what its own runs materialize, so `reconcile` changes its record.
"""

from collections.abc import Sequence, Set
from datetime import datetime
from typing import Any

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.definitions.assets.graph.asset_graph_subset import AssetGraphSubset
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.definitions.assets.job.asset_job import IMPLICIT_ASSET_JOB_NAME
from dagster._core.definitions.events import AssetKeyPartitionKey
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus, PartitionBackfill
from dagster._core.storage.tags import BACKFILL_ID_TAG

__all__ = [
    "IMPLICIT_ASSET_JOB_NAME",
    "Graph",
    "Partition",
    "PartitionBackfill",
    "backfills_under_way",
    "failed_backfills",
    "failed_partitions",
    "graph_of",
    "reconcile",
    "runs_of_backfill",
]

Graph = BaseAssetGraph[Any]
Partition = tuple[dg.AssetKey, str]

UNDER_WAY = [BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING, BulkActionStatus.FAILING]


def backfills_under_way(instance: dg.DagsterInstance) -> Sequence[PartitionBackfill]:
    """Return all backfills that have not ended, including those of other projects."""
    return instance.get_backfills(filters=BulkActionsFilter(statuses=UNDER_WAY))


def runs_of_backfill(backfill_id: str) -> dg.RunsFilter:
    """Return the filter that finds a backfill's runs."""
    return dg.RunsFilter(tags={BACKFILL_ID_TAG: backfill_id})


def graph_of(assets: Sequence[dg.AssetsDefinition]) -> Graph:
    """Return the graph of these assets, which gives a meaning to what a backfill records."""
    return AssetGraph.from_assets(assets)


def failed_backfills(instance: dg.DagsterInstance, graph: Graph, since: datetime) -> Sequence[PartitionBackfill]:
    """Return backfills of these assets that began after `since` and ended with failed partitions."""
    wanted, ours = (
        BulkActionsFilter(statuses=[BulkActionStatus.COMPLETED_FAILED], created_after=since),
        graph.get_all_asset_keys(),
    )
    found = instance.get_backfills(filters=wanted)
    return [each for each in found if each.is_asset_backfill and ours >= set(each.asset_selection or ())]


def failed_partitions(backfill: PartitionBackfill, graph: Graph) -> set[Partition]:
    """Return the partitions that count as failed in a backfill of assets."""
    failed = backfill.get_asset_backfill_data(graph).failed_and_downstream_subset
    return {(each.asset_key, each.partition_key) for each in failed.iterate_asset_partitions() if each.partition_key}


def reconcile(
    instance: dg.DagsterInstance, backfill: PartitionBackfill, graph: Graph, materialized: Set[Partition]
) -> bool:
    """Count these failed partitions of an ended backfill as materialized, and return whether none is left."""
    data = backfill.get_asset_backfill_data(graph)
    made = AssetGraphSubset.from_asset_partition_set({AssetKeyPartitionKey(*each) for each in materialized}, graph)
    failed = data.failed_and_downstream_subset - made
    data = data._replace(
        materialized_subset=data.materialized_subset | made,
        requested_subset=data.requested_subset | made,
        failed_and_downstream_subset=failed,
    )
    status = BulkActionStatus.COMPLETED_SUCCESS if failed.is_empty else BulkActionStatus.COMPLETED_FAILED
    changed = backfill.with_asset_backfill_data(data, dynamic_partitions_store=instance, asset_graph=graph)
    instance.update_backfill(changed._replace(status=status))
    return bool(failed.is_empty)
