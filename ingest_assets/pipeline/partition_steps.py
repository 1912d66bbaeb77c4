"""Run the steps of a partition run one at a time; each holds the document's job by a claim while it works."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.facts import DocumentFinished
from ingest_assets.domain.queue.jobs import Job, JobStatus, Payload
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.pipeline.attempts import stage_span
from ingest_assets.pipeline.failure import Failures, as_ingest_error
from ingest_assets.pipeline.lease import kept_lease
from ingest_assets.pipeline.outages import outlasting
from ingest_assets.pipeline.ports.claiming import Claims
from ingest_assets.pipeline.ports.observing import Observer
from ingest_assets.pipeline.ports.reading import Documents
from ingest_assets.pipeline.ports.reporting import Reports
from ingest_assets.pipeline.steps.step import Step
from ingest_assets.pipeline.tracing import tracing


@dataclass(frozen=True)
class PartitionSteps:
    steps: Mapping[str, Step[Any]]
    """The steps by asset, in order."""
    claims: Claims
    failures: Failures
    documents: Documents
    lease: timedelta
    observer: Observer
    reports: Reports

    def run(self, asset: str, document_id: DocumentId, claim: str, *before: Any) -> Any:
        """Return the asset's value, made from the values that its step reads.

        Raises:
            IngestError: As `held`.
        """
        step = self.steps[asset]
        with self.held(document_id, claim, step.enters) as job, stage_span(step, job):
            return step.run(job, *before)

    def store(self, asset: str, document_id: DocumentId, claim: str, value: Any, *, is_last: bool) -> Payload:
        """Store the asset's value and return the metadata to show for it.

        If this is the run's last asset but not the document's, the queue finishes the document.

        Raises:
            IngestError: As `held`.
        """
        step = self.steps[asset]
        with self.held(document_id, claim, step.enters) as job:
            with stage_span(step, job):
                payload = step.store(job, value)
            is_finished = self.successor(asset) is None
            if is_finished:
                chunks, version = int(payload["chunks"]), job.document.version
                self.observer.observe(DocumentFinished(document_id, version, chunks, job.correlation_id))
            elif is_last:
                self.claims.release(claim, document_id)
            if is_finished or is_last:
                tracing.flush()
            return payload

    def load(self, asset: str, document_id: DocumentId) -> Any:
        return self.steps[asset].load(document_id)

    def successor(self, asset: str) -> str | None:
        """Return the asset after this one, or None."""
        assets = [*self.steps, None]
        return assets[assets.index(asset) + 1]

    def fail(self, document_id: DocumentId, claim: str, stage: Stage, error: IngestError) -> None:
        """Settle the document's job as failed at `stage`.

        Raises:
            IngestError: As `held`.
        """
        with self.held(document_id, claim, stage) as job:
            self.failures.settle(job, error, reported=True)

    def status(self, document_id: DocumentId) -> JobStatus | None:
        """Return where the document stands, or None."""
        return self.documents.status(document_id)

    def show_dead_letter(self, document_id: DocumentId) -> JobStatus | None:
        """Return the failure to show of a document, or None, and note that it is shown."""
        status = self.status(document_id)
        if status is None or status.error_code is None:
            return None
        self.reports.dead_letter_shown(document_id)
        return status

    @contextmanager
    def held(self, document_id: DocumentId, claim: str, stage: Stage) -> Iterator[Job]:
        """Hold the document's job, ready to enter `stage`.

        Raises:
            IngestError: Anything that goes wrong; the job is settled.
        """
        job: Job | None = None
        try:
            job = self.claims.take(document_id, claim, self.lease, stage)
            with kept_lease(self.claims, claim, self.lease, self.observer):
                yield job
        except Exception as error:
            problem = as_ingest_error(error)
            if job is not None:
                held = job
                outlasting(lambda: self.failures.settle(held, problem, reported=True), self.failures.clock)
            raise problem from None
        except BaseException:
            if job is not None:
                self.claims.release(claim, document_id)
            raise
