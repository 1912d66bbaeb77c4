"""Delete old runs with their events, unless the UI reads a listed document's state from them."""

from datetime import datetime

import dagster as dg

from ingest_assets.domain.documents.retention import RetentionPolicy, history_begins
from ingest_assets.orchestration.checks import check_queue, check_rows, measure_recall
from ingest_assets.orchestration.deletions import finish_deleted
from ingest_assets.orchestration.instance import delete_run
from ingest_assets.orchestration.jobs import drain_queue, ingest_document
from ingest_assets.orchestration.reconciliation import reconcile_dagster
from ingest_assets.orchestration.remote_jobs import settle_remote_jobs
from ingest_assets.orchestration.run_history import CHECK_KEYS, needed_runs, old_runs
from ingest_assets.orchestration.summaries import send_summary
from ingest_assets.orchestration.sweeping import sweep_store
from ingest_assets.orchestration.unlisting import unlist_partitions
from ingest_assets.orchestration.vector_index import keep_vector_index
from ingest_assets.pipeline.ports.clock import Clock

LONGEST_SECONDS = 1800
"""The longest time one run may take; the next run continues."""


@dg.op(description="Deletes runs that are older than the retention and no longer needed, oldest first.")
def delete_old_runs(
    context: dg.OpExecutionContext, clock: dg.ResourceParam[Clock], retention: dg.ResourceParam[RetentionPolicy]
) -> dict[str, int]:
    instance = context.instance
    deadline = clock.seconds() + LONGEST_SECONDS
    before = history_begins(retention, clock.now())
    disposable = disposable_runs(instance, before) if before is not None else []
    deleted = 0
    for run_id in disposable:
        if clock.seconds() >= deadline:
            break
        delete_run(instance, run_id, CHECK_KEYS)
        deleted += 1
    summary = {"deleted": deleted, "left": len(disposable) - deleted}
    context.add_output_metadata(summary)
    return summary


def disposable_runs(instance: dg.DagsterInstance, before: datetime) -> list[str]:
    """Return the runs to delete, those of each Dagster job oldest first."""
    old = old_runs(instance, JOBS, before)
    needed = needed_runs(instance, before) if old else set()
    return [run_id for run_id in old if run_id not in needed]


@dg.job(description="Deletes runs that are older than the retention.")
def purge_runs() -> None:
    delete_old_runs()


JOBS = tuple(
    job.name
    for job in (
        ingest_document,
        drain_queue,
        finish_deleted,
        unlist_partitions,
        sweep_store,
        purge_runs,
        keep_vector_index,
        measure_recall,
        check_queue,
        check_rows,
        reconcile_dagster,
        send_summary,
        settle_remote_jobs,
    )
)
"""Every Dagster job of this project."""
