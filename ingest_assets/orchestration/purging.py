"""Old runs leave with their events, unless the UI reads the state of a listed document from them."""

from datetime import datetime

import dagster as dg

from ingest_assets.domain.documents.retention import RetentionPolicy, history_begins
from ingest_assets.orchestration.checks import measure_recall
from ingest_assets.orchestration.deletions import finish_deleted
from ingest_assets.orchestration.instance import forget_run
from ingest_assets.orchestration.jobs import drain_queue, ingest_document
from ingest_assets.orchestration.run_history import CHECK_KEYS, needed_runs, old_runs
from ingest_assets.orchestration.unlisting import unlist_partitions
from ingest_assets.orchestration.vector_index import keep_vector_index
from ingest_assets.pipeline.ports.clock import Clock

LONGEST_SECONDS = 1800
"""Of one run; the next one goes on."""


@dg.op(description="Deletes what ended before the retention and is needed no more, oldest first.")
def forget_old_runs(
    context: dg.OpExecutionContext, clock: dg.ResourceParam[Clock], retention: dg.ResourceParam[RetentionPolicy]
) -> dict[str, int]:
    instance = context.instance
    deadline = clock.seconds() + LONGEST_SECONDS
    before = history_begins(retention, clock.now())
    disposable = disposable_runs(instance, before) if before is not None else []
    forgotten = 0
    for run_id in disposable:
        if clock.seconds() >= deadline:
            break
        forget_run(instance, run_id, CHECK_KEYS)
        forgotten += 1
    summary = {"forgotten": forgotten, "left": len(disposable) - forgotten}
    context.add_output_metadata(summary)
    return summary


def disposable_runs(instance: dg.DagsterInstance, before: datetime) -> list[str]:
    """The oldest first, of each job."""
    old = old_runs(instance, JOBS, before)
    needed = needed_runs(instance, before) if old else set()
    return [run_id for run_id in old if run_id not in needed]


@dg.job(description="Keeps the history of runs within its retention.")
def purge_runs() -> None:
    forget_old_runs()


JOBS = tuple(
    job.name
    for job in (
        ingest_document,
        drain_queue,
        finish_deleted,
        unlist_partitions,
        purge_runs,
        keep_vector_index,
        measure_recall,
    )
)
"""Every job of this project."""
