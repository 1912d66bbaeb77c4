"""Rows of document_chunks made without the pipeline: for the floors, and to fill a table quickly."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from psycopg import Connection, sql

from ingest_assets.adapters.lexical_embedder import LexicalEmbedder
from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.domain.documents.document import (
    VECTOR_DIMENSIONS,
    Chunk,
    Document,
    DocumentId,
    ParsedDocument,
    UserId,
    Vectors,
)
from ingest_assets.domain.text.chunking import ChunkingSettings, chunk_document

COLUMNS = {
    "chunk_id": "uuid",
    "document_id": "uuid",
    "user_id": "uuid",
    "chunker_name": "text",
    "chunker_version": "text",
    "chunk_ord": "int4",
    "title": "text",
    "heading_path": "text[]",
    "page": "int4",
    "start_offset": "int4",
    "end_offset": "int4",
    "text": "text",
    "chunk_sha": "text",
    "embed_model": "text",
    "embed_version": "text",
    "vector_dim": "int4",
    "embedding": "vector",
}
"""All but full_text, with their types."""

MAKE_FULL_TEXT = """CREATE OR REPLACE FUNCTION upload_pipeline.full_text_of(title text, heading_path text[], body text)
RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN setweight(to_tsvector('english', title), 'B')
    || setweight(to_tsvector('english', array_to_string(heading_path, ' ')), 'B')
    || setweight(to_tsvector('english', body), 'D')"""

MAKE_TABLE = """
DROP TABLE IF EXISTS upload_pipeline.bare;
CREATE TABLE upload_pipeline.bare (LIKE upload_pipeline.document_chunks INCLUDING DEFAULTS INCLUDING STORAGE
    INCLUDING GENERATED);
ALTER TABLE upload_pipeline.bare DROP COLUMN full_text;
ALTER TABLE upload_pipeline.bare ADD COLUMN full_text tsvector
    GENERATED ALWAYS AS (upload_pipeline.full_text_of(title, heading_path, text)) STORED;
"""
"""The same columns as document_chunks; Postgres makes full_text of them as the pipeline's commit does."""

COPY_ROWS = sql.SQL("COPY upload_pipeline.bare ({}) FROM STDIN (FORMAT BINARY)").format(
    sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
)


class Maker:
    """Parses, chunks and embeds as the pipeline does by default."""

    def __init__(self) -> None:
        self._parser, self._embedder, self._settings = LocalParser(), LexicalEmbedder(), ChunkingSettings()

    def parse(self, document: Document, content: bytes) -> ParsedDocument:
        return self._parser.parse(content, document)

    def chunk(self, document: Document, parsed: ParsedDocument) -> list[Chunk]:
        return chunk_document(document, parsed, self._settings)

    def embed(self, document: Document, chunks: Sequence[Chunk]) -> Vectors:
        return self._embedder.embed([chunk.embedding_input for chunk in chunks], document)

    def make(self, document: Document, content: bytes) -> tuple[list[Chunk], Vectors]:
        chunks = self.chunk(document, self.parse(document, content))
        return chunks, self.embed(document, chunks)

    def copy(self, connection: Connection[Any], document: Document, chunks: Sequence[Chunk], vectors: Vectors) -> None:
        with connection.cursor().copy(COPY_ROWS) as copy:
            copy.set_types(list(COLUMNS.values()))
            for row in self._rows(document, chunks, vectors):
                copy.write_row(row)

    def _rows(self, document: Document, chunks: Sequence[Chunk], vectors: Vectors) -> Iterator[tuple[Any, ...]]:
        chunker, model = self._settings.chunker, self._embedder.model
        for chunk, vector in zip(chunks, vectors, strict=True):
            yield (
                *(chunk.chunk_id, document.document_id, document.user_id, chunker.name, chunker.version),
                *(chunk.ordinal, document.title, list(chunk.heading_path), chunk.page, chunk.start, chunk.end),
                *(chunk.text, chunk.chunk_sha, model.name, model.version, VECTOR_DIMENSIONS, vector),
            )


def markdown_document(path: Path, user_id: UserId) -> Document:
    return Document(DocumentId(uuid4()), user_id, 1, path.name, "text/markdown", path.stat().st_size, "0" * 64)


def make_bare_table(connection: Connection[Any]) -> None:
    """Empty, and without an index."""
    connection.execute(MAKE_FULL_TEXT)
    connection.execute(MAKE_TABLE)
