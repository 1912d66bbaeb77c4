"""What a step changes of a claimed job, as values that can be written alone, together or a moment later."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ingest_assets.domain.documents.document import Chunk, EmbeddedBatch, Producer, StoredParse
from ingest_assets.domain.queue.jobs import Job, Payload
from ingest_assets.domain.queue.stages import Stage


@dataclass(frozen=True, slots=True)
class Move:
    """A job's arrival at a stage."""

    stage: Stage
    at: float
    """When it arrived, in seconds of the worker's monotonic clock."""
    payload: Payload = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChunkedDocument:
    chunks: Sequence[Chunk]
    chunker: Producer


@dataclass(frozen=True, slots=True)
class Version:
    """A document's next live version: every chunk has a vector of this model, written or about to be."""

    chunks: int
    model: Producer


@dataclass(frozen=True, slots=True)
class Change:
    """One step's part of a job's progress, or the parts of several steps in a row."""

    job: Job
    moves: tuple[Move, ...]
    """The moves in order; empty for a batch of vectors, which belongs to the stage where the job already is."""
    parse: StoredParse | None = None
    chunked: ChunkedDocument | None = None
    vectors: tuple[EmbeddedBatch, ...] = ()
    version: Version | None = None
    """With a version, the change commits the document and the job is done."""
    is_paid: bool = False
    """Whether losing the change would cost money."""

    def followed_by(self, later: "Change") -> "Change":
        """Return both changes as one change of the same job."""
        return Change(
            self.job,
            self.moves + later.moves,
            later.parse or self.parse,
            later.chunked or self.chunked,
            self.vectors + later.vectors,
            later.version,
            self.is_paid or later.is_paid,
        )

    def uncommitted(self) -> "Change | None":
        """Return the change without the commit of a version, or None if nothing else is left."""
        if self.version is None:
            return self
        moves = self.moves[:-1]
        return replace(self, moves=moves, version=None) if moves or self.vectors else None

    @property
    def weight(self) -> int:
        """The number of chunks and vectors that the change holds in memory."""
        chunks = len(self.chunked.chunks) if self.chunked else 0
        return chunks + sum(len(batch.chunk_shas) for batch in self.vectors)
