"""Dagster lists a working set of documents: everything unfinished or failed, and the newest finished ones.

What is to go is read from Postgres, never from Dagster. A document that comes back gets its partition back from
whatever works on it.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager

import dagster as dg

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.documents.retention import RetentionPolicy, surplus
from ingest_assets.orchestration.instance import forget_partitions
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.reporting import Partitions

BATCH_SIZE = 1000
"""Partitions forgotten in one transaction, during which these documents cannot be queued again."""
LONGEST_SECONDS = 600
"""Of one run; the next one goes on."""


@dg.op(description="Forgets the partitions of deleted documents, and of finished ones beyond the newest.")
def forget_old_partitions(
    context: dg.OpExecutionContext,
    partitions: dg.ResourceParam[Partitions],
    clock: dg.ResourceParam[Clock],
    retention: dg.ResourceParam[RetentionPolicy],
) -> dict[str, int]:
    deadline = clock.seconds() + LONGEST_SECONDS

    def forget(total: int, listed: Callable[[int], AbstractContextManager[list[DocumentId]]]) -> int:
        forgotten = 0
        while forgotten < total and clock.seconds() < deadline:
            with listed(min(BATCH_SIZE, total - forgotten)) as document_ids:
                forget_partitions(context.instance, [str(document_id) for document_id in document_ids])
            if not document_ids:
                break
            forgotten += len(document_ids)
        return forgotten

    wanted = surplus(retention, partitions.listed())
    summary = {
        "deleted": forget(wanted.deleted, partitions.deleted),
        "finished": forget(wanted.finished, partitions.oldest),
    }
    context.add_output_metadata(summary)
    return summary


@dg.job(description="Keeps the list of partitions at a size that Dagster can show.")
def unlist_partitions() -> None:
    forget_old_partitions()
