"""What steps store."""

from collections.abc import Sequence
from typing import Protocol

from ingest_assets.domain.documents.document import Chunk, DocumentId, EmbeddedBatch, Producer
from ingest_assets.domain.queue.jobs import Job, Payload


class ChunkBuffer(Protocol):
    def save(self, job: Job, chunks: Sequence[Chunk], chunker: Producer, payload: Payload) -> Payload:
        """Replaces what was there, with stage chunks_buffered. Raises ResourceError claim_lost."""

    def load(self, document_id: DocumentId) -> list[Chunk]:
        """In order; the committed chunks where the buffer has been emptied."""


class VectorBuffer(Protocol):
    def reuse(self, job: Job, chunk_shas: Sequence[str], model: Producer) -> set[str]:
        """Buffers the vectors of these that the user already paid for; which of them need no embedding any more.

        Raises ResourceError claim_lost.
        """

    def append(self, job: Job, batch: EmbeddedBatch) -> None:
        """Commits one batch. Raises ResourceError claim_lost."""

    def complete(self, job: Job, payload: Payload) -> Payload:
        """Notes what embedding took. Raises ResourceError claim_lost."""

    def present(self, document_id: DocumentId, model: Producer) -> set[str]:
        """The chunk hashes that have a vector of this model, in the buffer or committed."""


class CommittedChunks(Protocol):
    def swap(
        self,
        job: Job,
        model: Producer,
        expected: int,
        payload: Payload,
        *,
        fresh: EmbeddedBatch | None,
        reported: bool,
    ) -> Payload:
        """Makes the buffers, with the `fresh` vectors that they do not hold, the searchable version, and the job
        embedded/done, in one short transaction.

        Raises ResourceError claim_lost; PermanentError upstream_missing where that gives other than `expected` chunks.
        """
