"""What the steps need of the database: what they leave behind, and what earlier steps left."""

from collections.abc import Sequence
from typing import Protocol

from ingest_assets.domain.documents.document import Chunk, DocumentId, Producer
from ingest_assets.domain.queue.changes import Change
from ingest_assets.domain.queue.jobs import Job, Payload


class Progress(Protocol):
    """Takes the changes that steps make to a job they hold."""

    def write(self, change: Change) -> Payload:
        """Write a change, or see to it that it is written soon.

        Returns:
            The payload of its last event; with the seconds that the step took, if it was written at once.

        Raises:
            PermanentError: upstream_missing, if a version that is to be committed lacks chunks or vectors.
            ResourceError: claim_lost.
        """


class Changes(Protocol):
    """Where changes are kept."""

    def write_all(self, changes: Sequence[Change], *, reported: bool) -> list[Payload]:
        """Write changes of different jobs in one transaction: all of them, or none if this raises.

        A document that gets a new version becomes searchable with it at once: chunks that did not change keep their
        rows, the others are replaced, the buffers are emptied, and the job is `embedded/done`.

        Args:
            changes: One for each job.
            reported: Whether Dagster knows already that the jobs are done.

        Returns:
            The payload of each change's last event, with the seconds that passed since the event before it.

        Raises:
            PermanentError: upstream_missing, if a version lacks chunks or vectors.
            ResourceError: claim_lost, if one of the jobs is no longer held.
        """


class ChunkBuffer(Protocol):
    def load(self, document_id: DocumentId) -> list[Chunk]:
        """Return the document's chunks in order: the committed ones if the buffer is empty.

        Raises:
            PermanentError: upstream_missing.
        """


class VectorBuffer(Protocol):
    def reuse(self, job: Job, chunk_shas: Sequence[str], model: Producer) -> set[str]:
        """Buffer the vectors of these chunks that the user has paid for already.

        Returns:
            The hashes of the chunks that need no embedding any more.

        Raises:
            ResourceError: claim_lost.
        """

    def present(self, document_id: DocumentId, model: Producer) -> set[str]:
        """Return the hashes of the document's chunks that have a vector of this model, buffered or committed."""
