"""Keep the list of partitions short: every unfinished or failed document, and the newest finished ones.

Postgres says which documents to unlist; Dagster is never asked. A document that is worked on again is listed again.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager

import dagster as dg

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.documents.retention import RetentionPolicy, surplus
from ingest_assets.orchestration.instance import dagster_id, unlist
from ingest_assets.orchestration.run_history import backfills_under_way
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.instances import Listings
from ingest_assets.pipeline.ports.reporting import Partitions

BATCH_SIZE = 100
"""Documents unlisted in one transaction. They cannot be queued again until it ends, and the server ends a slow one."""
LONGEST_SECONDS = 600
"""The longest time one run may take; the next run continues."""


@dg.op(description="Unlists deleted documents, and finished ones beyond the newest.")
def unlist_old_partitions(
    context: dg.OpExecutionContext,
    partitions: dg.ResourceParam[Partitions],
    clock: dg.ResourceParam[Clock],
    retention: dg.ResourceParam[RetentionPolicy],
) -> dict[str, int]:
    deadline = clock.seconds() + LONGEST_SECONDS

    def unlist_all(total: int, listed: Callable[[int], AbstractContextManager[list[DocumentId]]]) -> int:
        unlisted = 0
        while unlisted < total and clock.seconds() < deadline:
            with listed(min(BATCH_SIZE, total - unlisted)) as document_ids:
                unlist(context.instance, [str(document_id) for document_id in document_ids])
            if not document_ids:
                break
            unlisted += len(document_ids)
        return unlisted

    wanted = surplus(retention, partitions.listed())
    summary = {
        "deleted": unlist_all(wanted.deleted, partitions.deleted),
        "finished": unlist_all(wanted.finished, partitions.oldest),
    }
    context.add_output_metadata(summary)
    return summary


def unlist_moved(instance: dg.DagsterInstance, listings: Listings) -> None:
    """Unlist documents that another Dagster on this database lists by now, unless a backfill may need them."""
    here = dagster_id(instance)
    if backfills_under_way(instance):
        return
    with listings.moved_away(here, BATCH_SIZE) as document_ids:
        unlist(instance, [str(document_id) for document_id in document_ids])


@dg.job(description="Keeps the list of partitions short enough for Dagster to show.")
def unlist_partitions() -> None:
    unlist_old_partitions()
