"""The claim under which a run works, and errors as failures that Dagster does not retry by itself."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.errors import IngestError
from ingest_assets.pipeline.failure import as_ingest_error
from ingest_assets.pipeline.partition_steps import PartitionSteps

CLAIM_TAG = "ingest/claim"
"""The tag of runs that the queue started; its value is the claim that holds the job."""

DEAD_LETTER_TAG = "ingest/dead_letter"
"""The tag of runs that only show a drain run's dead letter: they fail as the document did, and change nothing."""


def claim_of(run: dg.DagsterRun) -> str:
    """Return the claim under which the run works."""
    return run.tags.get(CLAIM_TAG, run.run_id)


@contextmanager
def shown_as_failure() -> Iterator[None]:
    """Raise any error of the block as a dg.Failure."""
    try:
        yield
    except dg.Failure:
        raise
    except Exception as error:
        raise failure_of(as_ingest_error(error)) from None


def refuse_dead_letter(run: dg.DagsterRun, document_id: DocumentId, steps: PartitionSteps) -> None:
    """Raise the document's failure, if this run only shows it.

    Raises:
        dg.Failure: A drain run made the document a dead letter.
    """
    status = steps.dead_letter(document_id) if DEAD_LETTER_TAG in run.tags else None
    if status is not None:
        raise dg.Failure(
            f"{status.error_code}: {status.error_message} {status.error_hint}",
            metadata={"code": str(status.error_code), "stage": status.stage.value, "attempts": status.attempts},
            allow_retries=False,
        )


def failure_of(error: IngestError) -> dg.Failure:
    """Return the error as a Dagster failure without retries: only the queue's policy decides about those."""
    return dg.Failure(
        f"{error.code}: {error.message} {error.hint}",
        metadata={"code": error.code, "kind": error.kind},
        allow_retries=False,
    )
