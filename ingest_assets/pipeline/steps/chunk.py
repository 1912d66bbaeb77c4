"""Chunk: cut Markdown into overlapping pieces."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ingest_assets.domain.documents.document import Chunk as ChunkOfText
from ingest_assets.domain.documents.document import DocumentId, ParsedDocument
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.changes import Change, ChunkedDocument
from ingest_assets.domain.queue.jobs import Job, Payload
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.pipeline.ports.processing import ChunkBuffer
from ingest_assets.pipeline.ports.providers import Chunker
from ingest_assets.pipeline.steps.step import Step

Chunks = Sequence[ChunkOfText]


@dataclass(frozen=True, kw_only=True)
class Chunk(Step[Chunks]):
    asset: ClassVar = "chunks"
    reads: ClassVar = ("parsed_markdown",)
    enters: ClassVar = Stage.CHUNKING
    leaves: ClassVar = Stage.CHUNKS_BUFFERED

    chunk_buffer: ChunkBuffer
    chunker: Chunker

    def made(self, job: Job) -> Chunks | None:
        return self.chunk_buffer.buffered(job.document.document_id, self.chunker.producer) or None

    def run(self, job: Job, parsed: ParsedDocument) -> Chunks:
        """Cut the text into chunks.

        Raises:
            PermanentError: chunks_missing.
            TransientError: As the chunker.
            ResourceError: claim_lost.
        """
        self.enter(job, Stage.CHUNKING)
        chunks = self.chunker.chunk(job.document, parsed)
        if not chunks:
            raise PermanentError("chunks_missing")
        return chunks

    def store(self, job: Job, chunks: Chunks) -> Payload:
        chunked = ChunkedDocument(chunks, self.chunker.producer)
        return self.progress.write(
            Change(job, (self.moved(Stage.CHUNKS_BUFFERED, _describe(chunked)),), chunked=chunked)
        )

    def load(self, document_id: DocumentId) -> Chunks:
        return self.chunk_buffer.load(document_id)


def _describe(chunked: ChunkedDocument) -> Payload:
    lengths = [len(chunk.text) for chunk in chunked.chunks]
    return {
        "chunks": len(lengths),
        "characters": sum(lengths),
        "longest_chunk": max(lengths),
        "chunker": chunked.chunker.name,
        "chunker_version": chunked.chunker.version,
    }
