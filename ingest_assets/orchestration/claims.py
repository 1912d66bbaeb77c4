"""A run works under a claim; what goes wrong becomes a Dagster failure, which Dagster does not retry by itself."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.errors import IngestError
from ingest_assets.pipeline.failure import as_ingest_error
from ingest_assets.pipeline.partition_steps import PartitionSteps

CLAIM_TAG = "ingest/claim"
"""On runs that the queue started: the claim under which it leased the job."""

DEAD_LETTER_TAG = "ingest/dead_letter"
"""On runs that only show what a drain run found: they fail as the document did and change nothing."""


def claim_of(run: dg.DagsterRun) -> str:
    return run.tags.get(CLAIM_TAG, run.run_id)


@contextmanager
def shown_as_failure() -> Iterator[None]:
    """Raise dg.Failure for whatever goes wrong."""
    try:
        yield
    except dg.Failure:
        raise
    except Exception as error:
        raise failure_of(as_ingest_error(error)) from None


def refuse_dead_letter(run: dg.DagsterRun, document_id: DocumentId, steps: PartitionSteps) -> None:
    """Raise the failure that a drain run met, if this run is there to show it."""
    status = steps.dead_letter(document_id) if DEAD_LETTER_TAG in run.tags else None
    if status is not None:
        raise dg.Failure(
            f"{status.error_code}: {status.error_message} {status.error_hint}",
            metadata={"code": str(status.error_code), "stage": status.stage.value, "attempts": status.attempts},
            allow_retries=False,
        )


def failure_of(error: IngestError) -> dg.Failure:
    """Return the error as a failure of Dagster's. Its retries stay out of it: the queue's policy is the only one."""
    return dg.Failure(
        f"{error.code}: {error.message} {error.hint}",
        metadata={"code": error.code, "kind": error.kind},
        allow_retries=False,
    )
