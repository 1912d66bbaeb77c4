"""Everything one deployment gives the pipeline, in one value that the composition makes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.queue.retry_policy import RetryPolicy
from ingest_assets.domain.search.index_policy import IndexPolicy
from ingest_assets.domain.text.chunking import ChunkingSettings
from ingest_assets.pipeline.ports.buffers import ChunkBuffer, CommittedChunks, VectorBuffer
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.deleting import Deletions
from ingest_assets.pipeline.ports.documents import Documents
from ingest_assets.pipeline.ports.indexing import VectorIndex, VectorSamples
from ingest_assets.pipeline.ports.object_store import ObjectStore
from ingest_assets.pipeline.ports.providers import Embedder, Parser
from ingest_assets.pipeline.ports.queue import Jobs
from ingest_assets.pipeline.ports.reading import SeenDocuments
from ingest_assets.pipeline.ports.reporting import Partitions
from ingest_assets.pipeline.ports.searching import SearchIndex


@dataclass(frozen=True, slots=True)
class Services:
    clock: Clock
    jitter: Callable[[], float]
    """In [0, 1)."""
    jobs: Jobs
    documents: Documents
    deletions: Deletions
    documents_of: Callable[[UserId], SeenDocuments]
    """As a user sees them."""
    objects: ObjectStore
    parser: Parser
    chunk_buffer: ChunkBuffer
    embedder: Embedder
    vector_buffer: VectorBuffer
    committed: CommittedChunks
    partitions: Partitions
    search_index: SearchIndex
    vector_index: VectorIndex
    vector_samples: VectorSamples
    chunking: ChunkingSettings
    retry_policy: RetryPolicy
    index_policy: IndexPolicy
    available: Callable[[], bool]
    """Whether the outside services that every document needs take calls now."""
    lease: timedelta
    """How long a worker may be silent before its documents return to the queue."""
