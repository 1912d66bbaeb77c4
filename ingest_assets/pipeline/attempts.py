"""One document's attempt: it goes through the steps alone and is committed with others; its failure is its own."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

from ingest_assets.domain.errors import OutageError
from ingest_assets.domain.facts import DocumentFinished
from ingest_assets.domain.queue.changes import Change
from ingest_assets.domain.queue.jobs import Job
from ingest_assets.domain.queue.lanes import Lane, does
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.pipeline.failure import Failures, as_ingest_error, passing_over
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.observing import Observer
from ingest_assets.pipeline.ports.processing import Changes
from ingest_assets.pipeline.ports.tracing import Note
from ingest_assets.pipeline.progress import DeferredProgress
from ingest_assets.pipeline.slots import Slot
from ingest_assets.pipeline.steps.step import Step
from ingest_assets.pipeline.tracing import tracing


@dataclass(frozen=True)
class Attempt:
    """One document in progress."""

    job: Job
    lane: Lane | None
    """The lane of its worker; None if that takes documents through all of them."""
    progress: DeferredProgress

    @property
    def is_for_others(self) -> bool:
        """Whether the workers of another lane take the document on where this attempt ends."""
        return not does(self.lane, Stage.EMBEDDED)


@dataclass(frozen=True)
class FailedAttempt:
    attempt: Attempt
    error: Exception


@dataclass(frozen=True)
class Attempts:
    """Everything needed to work on documents."""

    steps: Sequence[Step[Any]]
    changes: Changes
    failures: Failures
    clock: Clock
    observer: Observer

    def place_of(self, job: Job, lane: Lane | None = None) -> Lane | None:
        """Return the lane in which the job's document first needs a place of its worker, or None if it never does.

        Args:
            job: The job.
            lane: The lane of the worker; None if it takes all.
        """
        own = (step for step in self.steps if does(lane, step.enters))
        return next((place for step in own if (place := step.place(job)) is not None), None)

    def begin(self, job: Job, lane: Lane | None = None) -> Attempt:
        """Return an attempt at a held job; a light document is tried shortly, and heavy from then on if it is slow.

        Args:
            job: The job.
            lane: The lane of the worker, which leaves what comes after it to others; None if it takes all.
        """
        may_be_recognised = lane in (None, Lane.OCR)
        document = replace(job.document, is_tried_shortly=not job.is_heavy, may_be_recognised=may_be_recognised)
        return Attempt(replace(job, document=document), lane, DeferredProgress(self.changes, self.clock))

    def process(self, attempt: Attempt, slot: Slot) -> Exception | None:
        """Take a document through the steps and return why that failed.

        If it did not, the document is ready to be committed, or what it is left to others with is stored.
        """
        job = attempt.job
        about = {"ingest.document_id": str(job.document.document_id), "ingest.claim": job.claim}
        try:
            with tracing.span("attempt", correlation_id=job.correlation_id, **about):
                run_steps(attempt, self.steps, slot)
                if attempt.is_for_others:
                    attempt.progress.give_up()
        except Exception as error:
            return error
        return None

    def commit(self, attempts: Sequence[Attempt]) -> list[FailedAttempt]:
        """Commit finished documents together, or each by itself if one of them cannot be committed.

        Returns:
            Those that could not be committed.

        Raises:
            OutageError: No document was committed, or the answer was lost; it does no harm to repeat the commit.
        """
        try:
            self._write(attempts)
        except OutageError:
            raise
        except Exception:
            return [failed for attempt in attempts for failed in self._commit_alone(attempt)]
        return []

    def settle(self, failed: FailedAttempt) -> None:
        """Settle the job of a failed attempt, after recording in its history how far it got.

        Raises:
            ResourceError: The database cannot record it now.
        """
        attempt = failed.attempt
        passing_over(self.observer, "recording how far a failed document got", attempt.progress.give_up)
        self.failures.settle(attempt.job, as_ingest_error(failed.error), reported=False)

    def catch_up(self, attempts: Sequence[Attempt]) -> None:
        """Record the current stage of slow documents, up to the first that fails; it rests while the others go on."""

        def record() -> None:
            for attempt in attempts:
                attempt.progress.catch_up()

        passing_over(self.observer, "recording where a document stands", record)

    def _commit_alone(self, attempt: Attempt) -> list[FailedAttempt]:
        try:
            self._write([attempt])
        except Exception as error:
            return [] if self._was_committed(attempt, error) else [FailedAttempt(attempt, error)]
        return []

    def _was_committed(self, attempt: Attempt, error: Exception) -> bool:
        """Return whether the claim is gone because an earlier commit succeeded and only its answer was lost."""
        change = attempt.progress.pending
        if change is None or as_ingest_error(error).code != "claim_lost":
            return False
        status = self.failures.documents.status(attempt.job.document.document_id)
        committed = status is not None and status.live_version == attempt.job.document.version
        if committed:
            self._tell_finished(change)
        return committed

    def _write(self, attempts: Sequence[Attempt]) -> None:
        changes = [change for each in attempts if (change := each.progress.pending) is not None]
        self.changes.write_all(changes, reported=False)
        for change in changes:
            self._tell_finished(change)

    def _tell_finished(self, change: Change) -> None:
        document, version = change.job.document, change.version
        if version is not None:
            finished = DocumentFinished(
                document.document_id, document.version, version.chunks, change.job.correlation_id
            )
            self.observer.observe(finished)


def stage_span(step: Step[Any], job: Job) -> AbstractContextManager[Note]:
    """Return the span of a step of a document."""
    about = {"ingest.document_id": str(job.document.document_id), "ingest.stage": str(step.enters)}
    return tracing.span(step.asset, correlation_id=job.correlation_id, **about)


def run_steps(attempt: Attempt, steps: Sequence[Step[Any]], slot: Slot) -> None:
    """Run and store the steps in order, as the assets do, dropping values that no later step reads.

    An attempt in a lane has only the steps of that, and what the present tools have made before.
    """
    job = attempt.job
    own = [step for step in steps if does(attempt.lane, step.enters)]
    values = _made_before(own, steps, job)
    if values is None:
        own, values = list(steps), {}
    for number, step in enumerate(replace(step, progress=attempt.progress) for step in own):
        with _place(step, job, slot), stage_span(step, job):
            value = step.run(job, *(values[asset] for asset in step.reads))
            step.store(job, value)
        still_read = {asset for later in own[number + 1 :] for asset in later.reads}
        values = {asset: each for asset, each in (values | {step.asset: value}).items() if asset in still_read}


def _made_before(own: Sequence[Step[Any]], steps: Sequence[Step[Any]], job: Job) -> dict[str, Any] | None:
    """Return what these steps read of those before them, by asset, or None if it has to be made anew."""
    wanted = {asset for step in own for asset in step.reads} - {step.asset for step in own}
    values = {step.asset: step.made(job) for step in steps if step.asset in wanted}
    return None if None in values.values() else values


def _place(step: Step[Any], job: Job, slot: Slot) -> AbstractContextManager[None]:
    lane = step.place(job)
    if lane is None:
        return nullcontext()
    return slot.kept(lane) if lane is Lane.OCR else slot.lent(lane)
