"""Embed: turn chunks into vectors, several batches at a time. Vectors that the user has paid for are reused."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

import numpy as np

from ingest_assets.domain.batching import batches
from ingest_assets.domain.documents.document import (
    VECTOR_DIMENSIONS,
    Chunk,
    Document,
    DocumentId,
    EmbeddedBatch,
    Producer,
    Vectors,
)
from ingest_assets.domain.errors import TransientError
from ingest_assets.domain.queue.changes import Change
from ingest_assets.domain.queue.jobs import Job, Payload
from ingest_assets.domain.queue.lanes import Lane
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.pipeline.concurrency import as_they_come
from ingest_assets.pipeline.ports.processing import VectorBuffer
from ingest_assets.pipeline.ports.providers import Embedder
from ingest_assets.pipeline.steps.chunk import Chunks
from ingest_assets.pipeline.steps.step import Step


@dataclass(frozen=True, slots=True)
class Embeddings:
    """The vectors of a document's chunks. Drawing a batch pays for it, so the caller must store it at once."""

    model: Producer
    chunk_shas: frozenset[str]
    """The hashes of the chunks that have a vector once all batches are drawn."""
    batches: Iterator[EmbeddedBatch] = field(default_factory=lambda: iter(()))


@dataclass(frozen=True, kw_only=True)
class Embed(Step[Embeddings]):
    asset: ClassVar = "embeddings"
    reads: ClassVar = ("chunks",)
    enters: ClassVar = Stage.EMBEDDING
    leaves: ClassVar = Stage.EMBEDDING

    vector_buffer: VectorBuffer
    embedder: Embedder

    def place(self, job: Job) -> Lane | None:
        return Lane.EMBED if self.is_paid(job) else None

    def is_paid(self, job: Job) -> bool:  # noqa: ARG002  one model embeds all documents
        return not self.embedder.costs_nothing

    def run(self, job: Job, chunks: Chunks) -> Embeddings:
        """Begin to embed the chunks that have no vector yet.

        Raises:
            IngestError: As the embedder, when a batch is drawn.
            ResourceError: claim_lost.
            TransientError: vectors_invalid, when a batch is drawn.
        """
        # Once this is written, each batch is written alone, and so as often as it takes.
        self.progress.write(Change(job, (self.moved(Stage.EMBEDDING),), is_paid=self.is_paid(job)))
        embedder = self.embedder
        distinct = {chunk.chunk_sha: chunk for chunk in chunks}
        stored = self.vector_buffer.reuse(job, list(distinct), embedder.model)
        missing = [
            (chunk, embedder.count_tokens(chunk.embedding_input))
            for sha, chunk in distinct.items()
            if sha not in stored
        ]
        cut = batches(missing, _tokens, embedder.max_inputs, embedder.max_tokens)
        drawn = as_they_come(partial(_embed, embedder, job.document), cut, embedder.max_in_flight)
        return Embeddings(embedder.model, frozenset(distinct), drawn)

    def store(self, job: Job, embeddings: Embeddings) -> Payload:
        """Draw the batches and store each by itself, so that a crash loses no batch that was paid for."""
        embedded = tokens = 0
        is_paid = self.is_paid(job)
        for batch in embeddings.batches:
            self.progress.write(Change(job, (), vectors=(batch,), is_paid=is_paid))
            embedded += len(batch.chunk_shas)
            tokens += batch.tokens
        move = self.moved(Stage.EMBEDDING, _describe(embeddings, embedded, tokens))
        return self.progress.write(Change(job, (move,)))

    def load(self, document_id: DocumentId) -> Embeddings:
        return stored_embeddings(self.vector_buffer, document_id, self.embedder.model)


def stored_embeddings(vector_buffer: VectorBuffer, document_id: DocumentId, model: Producer) -> Embeddings:
    return Embeddings(model, frozenset(vector_buffer.present(document_id, model)))


def _describe(embeddings: Embeddings, embedded: int, tokens: int) -> Payload:
    return {
        "texts_embedded": embedded,
        "texts_reused": len(embeddings.chunk_shas) - embedded,
        "tokens": tokens,
        "model": embeddings.model.name,
        "model_version": embeddings.model.version,
        "dimensions": VECTOR_DIMENSIONS,
    }


def _embed(embedder: Embedder, document: Document, batch: Sequence[tuple[Chunk, int]]) -> EmbeddedBatch:
    texts = [chunk.embedding_input for chunk, _ in batch]
    vectors = _checked(embedder.embed(texts, document), len(texts))
    shas = tuple(chunk.chunk_sha for chunk, _ in batch)
    return EmbeddedBatch(shas, vectors, embedder.model, sum(map(_tokens, batch)))


def _tokens(sized: tuple[Chunk, int]) -> int:
    return sized[1]


def _checked(vectors: Vectors, expected: int) -> Vectors:
    """Return the vectors if they are usable.

    Zero and non-finite vectors have no cosine: searches would find them never or always.
    """
    if vectors.shape != (expected, VECTOR_DIMENSIONS):
        raise TransientError("vectors_invalid", found=0, expected=expected)
    usable = np.isfinite(vectors).all(axis=1) & vectors.any(axis=1)
    if not usable.all():
        raise TransientError("vectors_invalid", found=int(usable.sum()), expected=expected)
    return vectors
