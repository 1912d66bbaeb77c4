"""A run holds a partition's job by a claim; what goes wrong meanwhile becomes the job's fate and a Dagster failure."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.queue.jobs import Job
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.orchestration.partitions import document_id_of
from ingest_assets.pipeline.failure import as_ingest_error, settle_failure
from ingest_assets.pipeline.lease import kept_lease
from ingest_assets.pipeline.services import Services

CLAIM_TAG = "ingest/claim"
"""On runs that the queue started: the claim under which it leased the job."""

DEAD_LETTER_TAG = "ingest/dead_letter"
"""On runs that only show what a drain run found: they fail as the document did and change nothing."""


@contextmanager
def held_job(run: dg.DagsterRun, partition_key: str, services: Services, stage: Stage) -> Iterator[Job]:
    """The partition's job, ready to enter `stage`. Raises dg.Failure, the job settled, for whatever goes wrong."""
    claim = run.tags.get(CLAIM_TAG, run.run_id)
    job: Job | None = None
    try:
        document_id = document_id_of(partition_key)
        refuse_dead_letter(run, partition_key, services)
        job = services.jobs.take(document_id, claim, services.lease, stage)
        with kept_lease(services.jobs, claim, services.lease):
            yield job
    except dg.Failure:
        raise
    except Exception as error:
        problem = as_ingest_error(error)
        if job is not None:
            settle_failure(job, problem, services, reported=True)
        raise failure_of(problem) from None
    except BaseException:
        if job is not None:
            services.jobs.release(claim, job.document.document_id)
        raise


@contextmanager
def shown_as_failure() -> Iterator[None]:
    """Raises dg.Failure for whatever goes wrong; no job is concerned."""
    try:
        yield
    except Exception as error:
        raise failure_of(as_ingest_error(error)) from None


def refuse_dead_letter(run: dg.DagsterRun, partition_key: str, services: Services) -> None:
    """Raises the failure that a drain run met, where this run is there to show it."""
    if DEAD_LETTER_TAG not in run.tags:
        return
    status = services.documents.status(document_id_of(partition_key))
    if status is not None and status.error_code is not None:
        raise dg.Failure(
            f"{status.error_code}: {status.error_message} {status.error_hint}",
            metadata={"code": status.error_code, "stage": status.stage.value, "attempts": status.attempts},
            allow_retries=False,
        )


def failure_of(error: IngestError) -> dg.Failure:
    """Dagster's retries stay out of it: the queue's policy is the only one."""
    return dg.Failure(
        f"{error.code}: {error.message} {error.hint}",
        metadata={"code": error.code, "kind": error.kind},
        allow_retries=False,
    )


def release_unless_continued(run: dg.DagsterRun, job: Job, successor: str | None, services: Services) -> None:
    """Where a person chose only some assets, the queue finishes the document."""
    chosen = run.asset_selection
    if successor is not None and chosen and dg.AssetKey(successor) not in chosen:
        services.jobs.release(job.claim, job.document.document_id)
