"""Markdown becomes chunks."""

from collections.abc import Sequence

from ingest_assets.domain.documents.document import Chunk, ParsedDocument, Producer
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.jobs import Job, Payload
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.domain.text.chunking import ChunkingSettings, chunk_document
from ingest_assets.pipeline.ports.buffers import ChunkBuffer
from ingest_assets.pipeline.ports.queue import Jobs


def chunk_parse(job: Job, parsed: ParsedDocument, settings: ChunkingSettings, *, jobs: Jobs) -> list[Chunk]:
    """Raises PermanentError chunks_missing, ResourceError claim_lost."""
    jobs.advance(job, Stage.CHUNKING)
    chunks = chunk_document(job.document, parsed, settings)
    if not chunks:
        raise PermanentError("chunks_missing")
    return chunks


def store_chunks(
    job: Job, chunks: Sequence[Chunk], settings: ChunkingSettings, *, chunk_buffer: ChunkBuffer
) -> Payload:
    return chunk_buffer.save(job, chunks, settings.chunker, describe_chunks(chunks, settings.chunker))


def describe_chunks(chunks: Sequence[Chunk], chunker: Producer) -> Payload:
    return {
        "chunks": len(chunks),
        "characters": sum(len(chunk.text) for chunk in chunks),
        "longest_chunk": max(len(chunk.text) for chunk in chunks),
        "chunker": chunker.name,
        "chunker_version": chunker.version,
    }
