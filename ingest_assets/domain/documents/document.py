"""The values that travel through the pipeline: frozen, with no behaviour beyond what follows from their fields."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, NewType, TypeAlias
from uuid import UUID

from ingest_assets.domain.documents.warnings import Warnings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DocumentId = NewType("DocumentId", UUID)
UserId = NewType("UserId", UUID)
JobId = NewType("JobId", UUID)
ChunkId = NewType("ChunkId", UUID)

Vectors: TypeAlias = "NDArray[np.float32]"
"""Vectors of shape (texts, VECTOR_DIMENSIONS)."""

VECTOR_DIMENSIONS = 1536

HASHED_AT_ONCE = 1 << 18
"""How many characters of a text are hashed at a time, so that a large one is not copied."""

LOWEST_PRIORITY, HIGHEST_PRIORITY = -100, 100


@dataclass(frozen=True, slots=True)
class Producer:
    """The tool and version that made a stored result: a parser, a chunker or an embedding model."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class StoredParse:
    """The record of a stored parse; the object store holds its text under its hash."""

    parsed_sha: str
    page_starts: tuple[int, ...]
    parser: Producer
    warnings: Warnings = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """One document of one user, at its newest version."""

    document_id: DocumentId
    user_id: UserId
    version: int
    filename: str
    media_type: str
    byte_size: int
    content_sha: str
    """SHA-256 of the stored bytes, hexadecimal."""
    parse: StoredParse | None = None
    """The newest parse of this content, if there is one."""
    is_tried_shortly: bool = False
    """Whether a parser may give the document back after a short while, because others wait behind it."""
    may_be_recognised: bool = True
    """Whether the worker that has the document recognises scanned pages, or leaves that to those of another lane."""
    fence: int | None = None
    """The fence of the claim under which the document is worked on; None if nobody has to hold it."""
    correlation_id: str | None = None
    """The occasion on which the document was queued: the id of a command, a request or a run."""

    @property
    def title(self) -> str:
        """The file name as a person would read it; it is embedded and searched with every chunk."""
        stem = self.filename.rsplit(".", 1)[0] or self.filename
        return " ".join(stem.replace("_", " ").replace("-", " ").split())


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file within a document, such as one attached to a mail."""

    path: str
    """Its name or, in an archive, its path; no two attachments of a document have the same."""
    content: bytes


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document's text as Markdown."""

    text: str
    page_starts: tuple[int, ...]
    """Offset into `text` of each page's first character, ascending; empty if the format has no pages."""
    parser: Producer
    warnings: Warnings = field(default_factory=dict)
    """What of the document the text lacks."""
    attachments: tuple[Attachment, ...] | None = ()
    """The files within the document, which become documents of their own; None if this is a stored parse."""

    @property
    def text_sha(self) -> str:
        """SHA-256 of the text in UTF-8, hexadecimal."""
        found = sha256()
        for start in range(0, len(self.text), HASHED_AT_ONCE):
            found.update(self.text[start : start + HASHED_AT_ONCE].encode())
        return found.hexdigest()


@dataclass(frozen=True, slots=True)
class Chunk:
    chunk_id: ChunkId
    ordinal: int
    """The chunk's position in the text, from 0."""
    text: str
    start: int
    end: int
    """The chunk covers `parsed_text[start:end]`; `text` may repeat a table's header before it."""
    heading_path: tuple[str, ...]
    page: int | None
    """The page number, from 1; None if the format has no pages."""
    chunk_sha: str
    """SHA-256 of `embedding_input`, hexadecimal: equal inputs share one paid vector."""
    title: str
    """The title of the chunk's document."""

    @property
    def embedding_input(self) -> str:
        """The text to embed; it is built on each access rather than kept, because it repeats `text`."""
        return embedding_input(self.title, self.heading_path, self.text)


def embedding_input(title: str, heading_path: Sequence[str], text: str) -> str:
    """Return the text to embed for a chunk: its title and headings, then its own text."""
    return " > ".join((title, *heading_path)) + "\n" + text


@dataclass(frozen=True, slots=True)
class EmbeddedBatch:
    """The vectors that one call of the embedder gave, in the order of their chunks' hashes."""

    chunk_shas: tuple[str, ...]
    vectors: Vectors
    model: Producer
    tokens: int


@dataclass(frozen=True, slots=True)
class Parent:
    """The document that an attachment is taken out of."""

    document_id: DocumentId
    fence: int
    """The fence of the claim under which the parent is worked on."""
    depth: int
    """How far the attachment lies below a submitted document, from 1."""

    def source_of(self, path: str) -> str:
        """Return what the source of an attachment is called."""
        return source_within(self.document_id, path)


def source_within(document_id: DocumentId, path: str) -> str:
    """Return what the source of a document's attachment is called."""
    return f"attachment:{document_id}/{path}"


@dataclass(frozen=True, slots=True)
class Arrival:
    """An incoming file, checked and hashed."""

    user_id: UserId
    source: str
    """Where the file came from; other content from the same source is a new version of its document."""
    filename: str
    media_type: str
    byte_size: int
    content_sha: str
    priority: int = 0
    """The priority among the user's own documents; higher ones go first."""
    parent: Parent | None = None
    """The document that the file was taken out of."""


class AcceptanceStatus(StrEnum):
    QUEUED = "queued"
    UNCHANGED = "unchanged"
    NEW_VERSION = "new_version"


@dataclass(frozen=True, slots=True)
class Acceptance:
    document_id: DocumentId
    job_id: JobId
    status: AcceptanceStatus
    failure: str | None = None
    """The error code, if the content is unchanged and its document is a dead letter."""
