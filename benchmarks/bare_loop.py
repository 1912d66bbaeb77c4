"""The floor: the same parsing, chunking, embedding and indexed table, without queue, stages, buffers or Dagster."""

import time
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import psycopg
from pgvector.psycopg import register_vector

from ingest_assets.adapters.embedders.lexical import LexicalEmbedder
from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.domain.chunking import ChunkingSettings, chunk_document
from ingest_assets.domain.documents import Document, DocumentId, UserId

TABLE = """
CREATE TABLE bare (chunk_id uuid PRIMARY KEY, document_id uuid, text text, embedding vector(1536), full_text tsvector
    GENERATED ALWAYS AS (to_tsvector('english', text)) STORED);
CREATE INDEX ON bare USING gin (full_text);
CREATE INDEX ON bare USING hnsw ((binary_quantize(embedding)::bit(1536)) bit_hamming_ops);
"""


def documents_per_second(url: str, paths: Sequence[Path]) -> float:
    parser, embedder, settings = LocalParser(), LexicalEmbedder(), ChunkingSettings()
    user = UserId(uuid4())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        register_vector(connection)
        connection.execute(TABLE)
        begun = time.perf_counter()
        for path in paths:
            content = path.read_bytes()
            document = Document(DocumentId(uuid4()), user, 1, path.name, "text/markdown", len(content), "0" * 64)
            chunks = chunk_document(document, parser.parse(content, document), settings)
            vectors = embedder.embed([chunk.embedding_input for chunk in chunks], document)
            with connection.cursor().copy(
                "COPY bare (chunk_id, document_id, text, embedding) FROM STDIN BINARY"
            ) as copy:
                copy.set_types(["uuid", "uuid", "text", "vector"])
                for chunk, vector in zip(chunks, vectors, strict=True):
                    copy.write_row((chunk.chunk_id, document.document_id, chunk.text, vector))
        elapsed = time.perf_counter() - begun
    parser.close()
    return len(paths) / elapsed
