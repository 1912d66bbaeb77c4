"""Chunks with their vectors become what searches find, all at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingest_assets.domain.documents.document import Chunk, EmbeddedBatch, Producer
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.jobs import Job, Payload
from ingest_assets.pipeline.embed import StoredVectors
from ingest_assets.pipeline.ports.buffers import CommittedChunks


@dataclass(frozen=True, slots=True)
class Version:
    """A document's next searchable version, complete in the buffers."""

    chunks: int
    model: Producer


def complete_version(chunks: Sequence[Chunk], vectors: StoredVectors) -> Version:
    """Raises PermanentError upstream_missing where a chunk has no vector."""
    if any(chunk.chunk_sha not in vectors.chunk_shas for chunk in chunks):
        raise PermanentError("upstream_missing")
    return Version(len(chunks), vectors.model)


def commit_version(
    job: Job, version: Version, *, committed: CommittedChunks, fresh: EmbeddedBatch | None = None, reported: bool
) -> Payload:
    """Raises ResourceError claim_lost, PermanentError upstream_missing; what searches find is then as it was."""
    payload: Payload = {"chunks": version.chunks, "version": job.document.version, "model": version.model.name}
    return committed.swap(job, version.model, version.chunks, payload, fresh=fresh, reported=reported)
