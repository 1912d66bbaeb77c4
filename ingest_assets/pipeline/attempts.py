"""One document's attempt: it goes through the steps alone and is committed with others; its failure is its own."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from ingest_assets.domain.facts import DocumentFinished
from ingest_assets.domain.queue.changes import Change
from ingest_assets.domain.queue.jobs import Job
from ingest_assets.pipeline.failure import Failures, as_ingest_error, passing_over
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.observing import Observer
from ingest_assets.pipeline.ports.processing import Changes
from ingest_assets.pipeline.progress import DeferredProgress
from ingest_assets.pipeline.slots import Slots
from ingest_assets.pipeline.steps.step import Step


@dataclass(frozen=True)
class Attempt:
    """One document in progress."""

    job: Job
    progress: DeferredProgress


@dataclass(frozen=True)
class Attempts:
    """Everything needed to work on documents."""

    steps: Sequence[Step[Any]]
    changes: Changes
    failures: Failures
    clock: Clock
    observer: Observer

    def begin(self, job: Job) -> Attempt:
        return Attempt(job, DeferredProgress(self.changes, self.clock))

    def process(self, attempt: Attempt, slots: Slots) -> bool:
        """Take a document through the steps.

        Returns:
            Whether its last change is ready to be committed; if not, its job is settled.
        """
        try:
            run_steps(attempt, self.steps, slots)
        except Exception as error:
            self.fail(attempt, error)
            return False
        return True

    def commit(self, attempts: Sequence[Attempt]) -> int:
        """Commit finished documents together, or each by itself if one of them cannot be committed.

        Returns:
            How many were committed; the jobs of the others are settled.
        """
        changes = [change for each in attempts if (change := each.progress.pending) is not None]
        try:
            self.changes.write_all(changes, reported=False)
        except Exception as error:
            if len(attempts) > 1:
                return sum(self.commit([attempt]) for attempt in attempts)
            self.fail(attempts[0], error)
            return 0
        for change in changes:
            self._tell_finished(change)
        return len(attempts)

    def fail(self, attempt: Attempt, error: BaseException) -> None:
        """Settle the job, after recording in its history how far it got."""
        passing_over(self.observer, "recording how far a failed document got", attempt.progress.give_up)
        self.failures.settle(attempt.job, as_ingest_error(error), reported=False)

    def catch_up(self, attempts: Sequence[Attempt]) -> None:
        """Record the current stage of slow documents, up to the first that fails; it rests while the others go on."""

        def record() -> None:
            for attempt in attempts:
                attempt.progress.catch_up()

        passing_over(self.observer, "recording where a document stands", record)

    def _tell_finished(self, change: Change) -> None:
        document, version = change.job.document, change.version
        if version is not None:
            self.observer.observe(DocumentFinished(document.document_id, document.version, version.chunks))


def run_steps(attempt: Attempt, steps: Sequence[Step[Any]], slots: Slots) -> None:
    """Run and store the steps in order, as the assets do, dropping values that no later step reads."""
    values: dict[str, Any] = {}
    for number, step in enumerate(replace(step, progress=attempt.progress) for step in steps):
        with slots.lent() if step.is_paid(attempt.job) else nullcontext():
            value = step.run(attempt.job, *(values[asset] for asset in step.reads))
            step.store(attempt.job, value)
        still_read = {asset for later in steps[number + 1 :] for asset in later.reads}
        values = {asset: each for asset, each in (values | {step.asset: value}).items() if asset in still_read}
