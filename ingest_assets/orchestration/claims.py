"""The claim under which a run works, and errors as failures that Dagster does not retry by itself."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import dagster as dg

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.queue.jobs import JobStatus
from ingest_assets.domain.queue.lanes import Lane
from ingest_assets.orchestration.failures import failure_of, failure_of_status
from ingest_assets.orchestration.partitions import document_id_of
from ingest_assets.pipeline.failure import as_ingest_error
from ingest_assets.pipeline.partition_steps import PartitionSteps

CLAIM_TAG = "ingest/claim"
"""The tag of runs that the queue started; its value is the claim that holds the job."""

CORRELATION_TAG = "ingest/correlation_id"
"""The tag of runs that the queue started for one document; its value is the occasion on which that was queued."""

RUN_CLAIM = "run-"
"""How the claims begin that the queue makes for runs; others are those of whole workers."""

REPEATS_TAG = "dagster/parent_run_id"
"""The tag of runs that execute another one again."""

DEAD_LETTER_TAG = "ingest/dead_letter"
"""The tag of runs that only show a drain run's dead letter: they fail as the document did, and change nothing."""

LANE_TAG = "ingest/lane"
"""The tag of drain runs of one lane; its value is the lane."""

INSTANCE_TAG = "ingest/instance"
"""The tag of drain runs that the queue started; its value is the name of the deployment whose daemon asked for it."""


def lane_of_run(run: dg.DagsterRun) -> Lane | None:
    """Return the lane that the run's tag names, or None; people write tags too, and may name what is no lane."""
    named = run.tags.get(LANE_TAG)
    return Lane(named) if named in set(Lane) else None


def claim_of(run: dg.DagsterRun, instance: dg.DagsterInstance, steps: PartitionSteps, document_id: DocumentId) -> str:
    """Return the claim under which the run works on a document, which the history then names as the actor.

    Anybody who starts a run writes its tags, so a claim in them is believed only if the queue gave the document to it,
    and only of the first run that names it. A run that is executed again has the tags of the first, which may still be
    alive; it does not share its claim.
    """
    claim = run.tags.get(CLAIM_TAG, "")
    is_believed = (
        claim.startswith(RUN_CLAIM)
        and REPEATS_TAG not in run.tags
        and steps.claims.has_given(document_id, claim)
        and _is_first_of(claim, run, instance)
    )
    return claim if is_believed else run.run_id


def _is_first_of(claim: str, run: dg.DagsterRun, instance: dg.DagsterInstance) -> bool:
    first = instance.get_runs(dg.RunsFilter(tags={CLAIM_TAG: claim}), limit=1, ascending=True)
    return [each.run_id for each in first] == [run.run_id]


@contextmanager
def shown_as_failure(steps: PartitionSteps | None = None, partition_key: str | None = None) -> Iterator[None]:
    """Raise any error of the block as a dg.Failure, with what becomes of the partition's document if one is named."""
    try:
        yield
    except dg.Failure:
        raise
    except Exception as error:
        raise failure_of(as_ingest_error(error), _status_after(steps, partition_key)) from None


def refuse_dead_letter(run: dg.DagsterRun, document_id: DocumentId, steps: PartitionSteps) -> None:
    """Raise the document's failure, if this run only shows it.

    Raises:
        dg.Failure: A drain run made the document a dead letter.
    """
    status = steps.show_dead_letter(document_id) if DEAD_LETTER_TAG in run.tags else None
    if status is not None:
        raise failure_of_status(status)


def _status_after(steps: PartitionSteps | None, partition_key: str | None) -> JobStatus | None:
    """Return the status of the document, or None if even that fails; the error that is shown must not be lost."""
    if steps is None or partition_key is None:
        return None
    with suppress(Exception):
        return steps.status(document_id_of(partition_key))
    return None
