"""What travels through the pipeline: frozen values, no behaviour beyond what follows from their fields."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, NewType, TypeAlias
from uuid import UUID

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DocumentId = NewType("DocumentId", UUID)
UserId = NewType("UserId", UUID)
JobId = NewType("JobId", UUID)
ChunkId = NewType("ChunkId", UUID)

Vectors: TypeAlias = "NDArray[np.float32]"
"""Shape (texts, VECTOR_DIMENSIONS)."""

VECTOR_DIMENSIONS = 1536

HASHED_AT_ONCE = 1 << 18
"""Characters of a text, so that a large one is not copied to be hashed."""

LOWEST_PRIORITY, HIGHEST_PRIORITY = -100, 100


@dataclass(frozen=True, slots=True)
class Producer:
    """Which tool made a stored result: a parser, a chunker or an embedding model."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class StoredParse:
    """Where a parse is kept; its text lies in the object store under its hash."""

    parsed_sha: str
    page_starts: tuple[int, ...]
    parser: Producer


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
    """The newest parse of this content."""

    @property
    def title(self) -> str:
        """The file name as a person would read it: embedded and searched with every chunk."""
        stem = self.filename.rsplit(".", 1)[0] or self.filename
        return " ".join(stem.replace("_", " ").replace("-", " ").split())


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document's text as Markdown."""

    text: str
    page_starts: tuple[int, ...]
    """Offset into `text` of each page's first character, ascending; empty where the format has no pages."""
    parser: Producer

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
    """From 0, in the order of the text."""
    text: str
    start: int
    end: int
    """`parsed text[start:end]` is what this chunk covers; `text` may repeat a table's header before it."""
    heading_path: tuple[str, ...]
    page: int | None
    """From 1; None where the format has no pages."""
    chunk_sha: str
    """SHA-256 of `embedding_input`, hexadecimal: equal inputs share one paid vector."""
    title: str
    """Of its document."""

    @property
    def embedding_input(self) -> str:
        """What is embedded; made anew each time, because it repeats the text."""
        return embedding_input(self.title, self.heading_path, self.text)


def embedding_input(title: str, heading_path: Sequence[str], text: str) -> str:
    """What is embedded for a chunk: where it stands, then what it says."""
    return " > ".join((title, *heading_path)) + "\n" + text


@dataclass(frozen=True, slots=True)
class EmbeddedBatch:
    """Vectors for the chunks of these hashes, in this order, as one call of the embedder gave them."""

    chunk_shas: tuple[str, ...]
    vectors: Vectors
    model: Producer
    tokens: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file as it comes in, checked and hashed."""

    user_id: UserId
    source: str
    """Where it came from: the same source with other content is a new version of its document."""
    filename: str
    media_type: str
    byte_size: int
    content_sha: str
    priority: int = 0
    """Among the user's own documents; higher ones are worked on first."""


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
    """The error code where the content is unchanged, and a dead letter."""
