"""Chunks become vectors, several batches at a time; what the user already paid for is taken over."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ingest_assets.domain.batching import batches
from ingest_assets.domain.documents.document import VECTOR_DIMENSIONS, Chunk, Document, EmbeddedBatch, Producer, Vectors
from ingest_assets.domain.errors import TransientError
from ingest_assets.domain.queue.jobs import Job, Payload
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.pipeline.concurrency import as_they_come
from ingest_assets.pipeline.ports.buffers import VectorBuffer
from ingest_assets.pipeline.ports.providers import Embedder
from ingest_assets.pipeline.ports.queue import Jobs


@dataclass(frozen=True, slots=True)
class Embedding:
    """An embedding under way: drawing batches pays for them, so whoever draws one stores it at once."""

    model: Producer
    texts: int
    """Distinct texts of the document, embedded now or before."""
    batches: Iterator[EmbeddedBatch]
    fleeting: bool
    """Whether it is one batch that costs nothing to make again, so that it need not outlive a crash."""


@dataclass(frozen=True, slots=True)
class StoredVectors:
    """The chunk hashes of a document that have a stored vector of this model."""

    model: Producer
    chunk_shas: frozenset[str]


def embed_chunks(
    job: Job, chunks: Sequence[Chunk], *, jobs: Jobs, vector_buffer: VectorBuffer, embedder: Embedder
) -> Embedding:
    """Raises ResourceError claim_lost; drawing a batch raises what the embedder does, and vectors_invalid."""
    jobs.advance(job, Stage.EMBEDDING)
    distinct = {chunk.chunk_sha: chunk for chunk in chunks}
    stored = vector_buffer.reuse(job, list(distinct), embedder.model)
    missing = [
        (chunk, embedder.count_tokens(chunk.embedding_input)) for sha, chunk in distinct.items() if sha not in stored
    ]
    cut = list(batches(missing, _tokens, embedder.max_inputs, embedder.max_tokens))
    drawn = as_they_come(partial(_embed, embedder, job.document), cut, embedder.max_in_flight)
    return Embedding(embedder.model, len(distinct), drawn, fleeting=embedder.costs_nothing and len(cut) == 1)


def store_embedding(job: Job, embedding: Embedding, *, vector_buffer: VectorBuffer) -> Payload:
    """Draws the batches and commits each by itself: a crash loses none that was paid for."""
    embedded = tokens = 0
    for batch in embedding.batches:
        vector_buffer.append(job, batch)
        embedded += len(batch.chunk_shas)
        tokens += batch.tokens
    return vector_buffer.complete(job, _describe(embedding, embedded, tokens))


def pass_embedding_on(job: Job, embedding: Embedding, *, vector_buffer: VectorBuffer) -> EmbeddedBatch | None:
    """The batch of a fleeting embedding, for a commit that follows at once; any other one is stored."""
    if not embedding.fleeting:
        store_embedding(job, embedding, vector_buffer=vector_buffer)
        return None
    [batch] = embedding.batches
    vector_buffer.complete(job, _describe(embedding, len(batch.chunk_shas), batch.tokens))
    return batch


def _describe(embedding: Embedding, embedded: int, tokens: int) -> Payload:
    return {
        "texts_embedded": embedded,
        "texts_reused": embedding.texts - embedded,
        "tokens": tokens,
        "model": embedding.model.name,
        "model_version": embedding.model.version,
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
    """Zero and non-finite vectors have no cosine: stored, they would be found by nobody or by everybody."""
    if vectors.shape != (expected, VECTOR_DIMENSIONS):
        raise TransientError("vectors_invalid", found=0, expected=expected)
    usable = np.isfinite(vectors).all(axis=1) & vectors.any(axis=1)
    if not usable.all():
        raise TransientError("vectors_invalid", found=int(usable.sum()), expected=expected)
    return vectors
