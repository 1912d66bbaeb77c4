"""A step failed: what the document's job becomes."""

import traceback

from ingest_assets.domain.errors import IngestError, ResourceError, TransientError
from ingest_assets.domain.queue.jobs import Job
from ingest_assets.domain.queue.retry_policy import decide
from ingest_assets.pipeline.services import Services


def as_ingest_error(error: BaseException) -> IngestError:
    """Any exception as one of the catalogue; of an unknown one only its type and the place in this code are kept."""
    if isinstance(error, IngestError):
        return error
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "ingest_assets" in frame.filename]
    place = f"{frames[-1].name}, line {frames[-1].lineno}" if frames else "a library"
    return TransientError("unexpected", error=type(error).__name__, place=place)


def settle_failure(job: Job, error: IngestError, services: Services, *, reported: bool) -> None:
    """Retryable, waiting or a dead letter; whoever lost its claim has no say."""
    if isinstance(error, ResourceError) and error.code == "claim_lost":
        return
    decision = decide(services.retry_policy, error, job.attempt, services.clock.now(), services.jitter())
    services.jobs.settle(job, decision, error, reported=reported)
