"""Backfills, and the Dagster job to which runs of selected assets belong.

This module uses the filter and the states of backfills, the tag on their runs, and the name of the Dagster job for
assets that are selected in the UI. Dagster shows all of these, but exports none of them.
"""

from collections.abc import Sequence

import dagster as dg
from dagster._core.definitions.assets.job.asset_job import IMPLICIT_ASSET_JOB_NAME
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus, PartitionBackfill
from dagster._core.storage.tags import BACKFILL_ID_TAG

__all__ = ["IMPLICIT_ASSET_JOB_NAME", "backfills_under_way", "runs_of_backfill"]

UNDER_WAY = [BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING, BulkActionStatus.FAILING]


def backfills_under_way(instance: dg.DagsterInstance) -> Sequence[PartitionBackfill]:
    """Return all backfills that have not ended, including those of other projects."""
    return instance.get_backfills(filters=BulkActionsFilter(statuses=UNDER_WAY))


def runs_of_backfill(backfill_id: str) -> dg.RunsFilter:
    """Return the filter that finds a backfill's runs."""
    return dg.RunsFilter(tags={BACKFILL_ID_TAG: backfill_id})
