"""Commit: make chunks and their vectors live, all at once."""

from dataclasses import dataclass
from typing import ClassVar

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.changes import Change, Version
from ingest_assets.domain.queue.jobs import Job, Payload
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.pipeline.ports.processing import ChunkBuffer, VectorBuffer
from ingest_assets.pipeline.ports.providers import Embedder
from ingest_assets.pipeline.steps.chunk import Chunks
from ingest_assets.pipeline.steps.embed import Embeddings, stored_embeddings
from ingest_assets.pipeline.steps.step import Step


@dataclass(frozen=True, kw_only=True)
class Commit(Step[Version]):
    asset: ClassVar = "finalized_chunks"
    reads: ClassVar = ("chunks", "embeddings")
    enters: ClassVar = Stage.EMBEDDED
    leaves: ClassVar = Stage.EMBEDDED

    chunk_buffer: ChunkBuffer
    vector_buffer: VectorBuffer
    embedder: Embedder

    def run(self, job: Job, chunks: Chunks, embeddings: Embeddings) -> Version:  # noqa: ARG002  the same for every document
        """Check that the version is complete.

        Raises:
            PermanentError: upstream_missing, if a chunk has no vector.
        """
        return _complete(chunks, embeddings)

    def store(self, job: Job, version: Version) -> Payload:
        """Commit the version; if this raises, searches find what they found before.

        Raises:
            PermanentError: upstream_missing.
            ResourceError: claim_lost.
        """
        payload: Payload = {"chunks": version.chunks, "version": job.document.version, "model": version.model.name}
        return self.progress.write(Change(job, (self.moved(Stage.EMBEDDED, payload),), version=version))

    def load(self, document_id: DocumentId) -> Version:
        embeddings = stored_embeddings(self.vector_buffer, document_id, self.embedder.model)
        return _complete(self.chunk_buffer.load(document_id), embeddings)


def _complete(chunks: Chunks, embeddings: Embeddings) -> Version:
    if any(chunk.chunk_sha not in embeddings.chunk_shas for chunk in chunks):
        raise PermanentError("upstream_missing")
    return Version(len(chunks), embeddings.model)
