"""What the steps need of the database: a place for their results, and the results of earlier steps."""

from collections.abc import Sequence
from typing import Protocol

from ingest_assets.domain.documents.document import Chunk, DocumentId, Producer
from ingest_assets.domain.queue.changes import Change
from ingest_assets.domain.queue.jobs import Job, Payload


class Progress(Protocol):
    """Takes the changes that steps make to the job they hold."""

    def write(self, change: Change) -> Payload:
        """Write a change, now or soon.

        Returns:
            The payload of its last event, with the seconds that the step took if the change was written at once.

        Raises:
            PermanentError: upstream_missing, if a version to be committed lacks chunks or vectors.
            ResourceError: claim_lost.
        """


class Changes(Protocol):
    """Writes changes to the database."""

    def write_all(self, changes: Sequence[Change], *, reported: bool) -> list[Payload]:
        """Write changes of different jobs in one transaction: all of them, or none if this raises.

        A change with a version commits it: the document becomes searchable at once, chunks that did not change keep
        their rows, the others are replaced, the buffers are emptied, and the job is `embedded/done`.

        Args:
            changes: One change per job.
            reported: Whether Dagster already knows that the jobs are done.

        Returns:
            The payload of each change's last event, with the seconds since the event before it.

        Raises:
            PermanentError: upstream_missing, if a version lacks chunks or vectors.
            ResourceError: claim_lost, if one of the jobs is no longer held.
        """


class ChunkBuffer(Protocol):
    def load(self, document_id: DocumentId) -> list[Chunk]:
        """Return the document's chunks in order, or the committed ones if the buffer is empty.

        Raises:
            PermanentError: upstream_missing.
        """

    def buffered(self, document_id: DocumentId, chunker: Producer) -> list[Chunk]:
        """Return the buffered chunks in order, if this chunker has made them; otherwise nothing."""


class VectorBuffer(Protocol):
    def reuse(self, job: Job, chunk_shas: Sequence[str], model: Producer) -> set[str]:
        """Buffer those vectors of these chunks that the user has already paid for.

        Returns:
            The hashes of the chunks that need no embedding any more.

        Raises:
            ResourceError: claim_lost.
        """

    def present(self, document_id: DocumentId, model: Producer) -> set[str]:
        """Return the hashes of the document's chunks that have a vector of this model, buffered or committed."""
