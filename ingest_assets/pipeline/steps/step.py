"""What every step is: a value that holds its ports, knows its asset and its stages, and can run, store and load."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.queue.changes import Change, Move
from ingest_assets.domain.queue.jobs import Job, Payload
from ingest_assets.domain.queue.lanes import Lane
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.observing import Observer
from ingest_assets.pipeline.ports.processing import Progress

Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True)
class Step(ABC, Generic[Value]):
    """A step that makes a `Value` of a document."""

    asset: ClassVar[str]
    reads: ClassVar[tuple[str, ...]]
    """The assets whose values `run` takes, in this order."""
    enters: ClassVar[Stage]
    leaves: ClassVar[Stage]
    """The stage whose event carries the asset's metadata."""

    progress: Progress
    clock: Clock
    observer: Observer

    def place(self, job: Job) -> Lane | None:  # noqa: ARG002  most steps have as much room as there is
        """Return the lane in which the document needs one of its worker's places for this step, or None."""
        return None

    def made(self, job: Job) -> Value | None:  # noqa: ARG002  most steps see for themselves what they made
        """Return what the step has stored before, if the present tools made it; the step then need not run."""
        return None

    def is_paid(self, job: Job) -> bool:  # noqa: ARG002  most steps compute here, whatever the document
        """Return whether a paid provider does the work; then the step waits, and its result is worth protecting."""
        return False

    @abstractmethod
    def run(self, job: Job, *before: Any) -> Value:
        """Return the value, made from those of the assets that this step reads."""

    @abstractmethod
    def store(self, job: Job, value: Value) -> Payload:
        """Store the value for later steps and return the payload of its event.

        It is also called for a value that `run` found stored.

        Raises:
            ResourceError: claim_lost.
        """

    @abstractmethod
    def load(self, document_id: DocumentId) -> Value:
        """Return the stored value.

        Raises:
            PermanentError: unknown_document or upstream_missing.
        """

    def moved(self, stage: Stage, payload: Payload | None = None) -> Move:
        return Move(stage, self.clock.seconds(), payload or {})

    def enter(self, job: Job, *stages: Stage) -> None:
        """Move the job on.

        Raises:
            ResourceError: claim_lost, if the change is written at once.
        """
        self.progress.write(Change(job, tuple(self.moved(stage) for stage in stages)))
