"""The steps one at a time, each holding the document's job by a claim while it works: the way of partition runs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.queue.jobs import Job, JobStatus, Payload
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.pipeline.failure import Failures, as_ingest_error
from ingest_assets.pipeline.lease import kept_lease
from ingest_assets.pipeline.ports.claiming import Claims
from ingest_assets.pipeline.ports.observing import Observer
from ingest_assets.pipeline.ports.reading import Documents
from ingest_assets.pipeline.steps.step import Step


@dataclass(frozen=True)
class PartitionSteps:
    steps: Mapping[str, Step[Any]]
    """By asset, in order."""
    claims: Claims
    failures: Failures
    documents: Documents
    lease: timedelta
    observer: Observer

    def run(self, asset: str, document_id: DocumentId, claim: str, *before: Any) -> Any:
        """Make the asset's value from those that its step reads. Raises what `held` does."""
        step = self.steps[asset]
        with self.held(document_id, claim, step.enters) as job:
            return step.run(job, *before)

    def store(self, asset: str, document_id: DocumentId, claim: str, value: Any, *, is_last: bool) -> Payload:
        """Keep the asset's value and return what is told of it. Raises what `held` does.

        If this is the run's last asset but not the document's, the queue finishes the document.
        """
        step = self.steps[asset]
        with self.held(document_id, claim, step.enters) as job:
            payload = step.store(job, value)
            if is_last and self.successor(asset) is not None:
                self.claims.release(claim, document_id)
            return payload

    def load(self, asset: str, document_id: DocumentId) -> Any:
        return self.steps[asset].load(document_id)

    def successor(self, asset: str) -> str | None:
        """Return the asset after this one."""
        assets = [*self.steps, None]
        return assets[assets.index(asset) + 1]

    def fail(self, document_id: DocumentId, claim: str, stage: Stage, error: IngestError) -> None:
        """Settle the document's job as failed at `stage`. Raises what `held` does."""
        with self.held(document_id, claim, stage) as job:
            self.failures.settle(job, error, reported=True)

    def dead_letter(self, document_id: DocumentId) -> JobStatus | None:
        """Return where a document stands if its last attempt failed."""
        status = self.documents.status(document_id)
        return None if status is None or status.error_code is None else status

    @contextmanager
    def held(self, document_id: DocumentId, claim: str, stage: Stage) -> Iterator[Job]:
        """Hold the document's job, ready to enter `stage`.

        Raises:
            IngestError: whatever goes wrong; the job is settled.
        """
        job: Job | None = None
        try:
            job = self.claims.take(document_id, claim, self.lease, stage)
            with kept_lease(self.claims, claim, self.lease, self.observer):
                yield job
        except Exception as error:
            problem = as_ingest_error(error)
            if job is not None:
                self.failures.settle(job, problem, reported=True)
            raise problem from None
        except BaseException:
            if job is not None:
                self.claims.release(claim, document_id)
            raise
