"""The deployment that the settings describe. Each part is made on first use, together with the parts it needs."""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ingest_assets.composition.parts import part
from ingest_assets.composition.tools import Tools
from ingest_assets.domain.documents.document import UserId

if TYPE_CHECKING:
    from ingest_assets.domain.queue.retry_policy import RetryPolicy
    from ingest_assets.domain.text.chunking import ChunkingSettings
    from ingest_assets.pipeline.attempts import Attempts
    from ingest_assets.pipeline.deletion import Deletion
    from ingest_assets.pipeline.drain import Drain
    from ingest_assets.pipeline.failure import Failures
    from ingest_assets.pipeline.intake import Intake
    from ingest_assets.pipeline.partition_steps import PartitionSteps
    from ingest_assets.pipeline.ports.claiming import Backlog, Claims
    from ingest_assets.pipeline.ports.deleting import Deletions
    from ingest_assets.pipeline.ports.indexing import VectorIndex, VectorSamples
    from ingest_assets.pipeline.ports.intake import FileSystem, IntakeRecords
    from ingest_assets.pipeline.ports.operating import Operations
    from ingest_assets.pipeline.ports.processing import Changes, ChunkBuffer, Progress, VectorBuffer
    from ingest_assets.pipeline.ports.reading import Documents
    from ingest_assets.pipeline.ports.reporting import Partitions, Reports
    from ingest_assets.pipeline.ports.searching import SearchIndex
    from ingest_assets.pipeline.pruning import Pruning
    from ingest_assets.pipeline.refresh import Refresh
    from ingest_assets.pipeline.search import Search
    from ingest_assets.pipeline.steps.step import Step
    from ingest_assets.pipeline.vector_index import IndexKeeper


class Deployment(Tools):
    """Everything that one process uses of the system."""

    def replacing(self, **parts: Any) -> "Deployment":
        """Return a deployment that shares this one's database and has these parts, which are named as here.

        What was replaced before stays replaced.
        """
        other = Deployment(self.settings)
        other.replaced = self.replaced | {"database": self.database} | parts
        vars(other).update(other.replaced)
        return other

    # The queue

    @part
    def claims(self) -> "Claims":
        from ingest_assets.adapters.postgres.queue.claims import PostgresClaims

        return PostgresClaims(self.database, self.settings.jobs_per_user)

    @part
    def backlog(self) -> "Backlog":
        from ingest_assets.adapters.postgres.queue.backlog import PostgresBacklog

        return PostgresBacklog(self.database, self.settings.jobs_per_user)

    @part
    def operations(self) -> "Operations":
        from ingest_assets.adapters.postgres.queue.operations import PostgresOperations

        return PostgresOperations(self.database)

    @part
    def reports(self) -> "Reports":
        from ingest_assets.adapters.postgres.queue.reports import PostgresReports
        from ingest_assets.pipeline.steps import STEPS

        return PostgresReports(self.database, [step.leaves for step in STEPS])

    @part
    def partitions(self) -> "Partitions":
        from ingest_assets.adapters.postgres.queue.partitions import PostgresPartitions

        return PostgresPartitions(self.database)

    @part
    def failures(self) -> "Failures":
        from ingest_assets.pipeline.failure import Failures

        return Failures(
            self.claims, self.retry_policy, self.clock, self.jitter, self.documents, self.objects, self.observer
        )

    @part
    def retry_policy(self) -> "RetryPolicy":
        from ingest_assets.domain.queue.retry_policy import RetryPolicy

        return RetryPolicy()

    @part
    def jitter(self) -> Callable[[], float]:
        return random.random

    # Documents

    @part
    def documents(self) -> "Documents":
        """Return everybody's documents."""
        from ingest_assets.adapters.postgres.documents.reading import PostgresDocuments

        return PostgresDocuments(self.database)

    def documents_of(self, user_id: UserId) -> "Documents":
        """Return the documents that a user may see."""
        from ingest_assets.adapters.postgres.documents.reading import PostgresDocuments

        return PostgresDocuments(self.database.as_seen_by(user_id))

    @part
    def intake_records(self) -> "IntakeRecords":
        from ingest_assets.adapters.postgres.documents.intake_records import PostgresIntakeRecords

        return PostgresIntakeRecords(self.database)

    @part
    def intake(self) -> "Intake":
        from ingest_assets.pipeline.intake import Intake

        return Intake(self.intake_records, self.objects, self.settings.max_file_bytes)

    @part
    def files(self) -> "FileSystem":
        from ingest_assets.adapters.folders import Folders

        return Folders(self.settings.max_file_bytes)

    @part
    def deletions(self) -> "Deletions":
        from ingest_assets.adapters.postgres.documents.deletions import PostgresDeletions

        return PostgresDeletions(self.database)

    @part
    def deletion(self) -> "Deletion":
        from ingest_assets.pipeline.deletion import Deletion

        return Deletion(self.deletions, self.objects, self.observer)

    @part
    def pruning(self) -> "Pruning":
        from ingest_assets.pipeline.pruning import Pruning

        return Pruning(self.intake_records, self.documents, self.deletion, self.files)

    @part
    def refresh(self) -> "Refresh":
        from ingest_assets.pipeline.refresh import Refresh

        return Refresh(self.operations, self.parser, self.chunking.chunker, self.embedder)

    # The steps

    @part
    def changes(self) -> "Changes":
        from ingest_assets.adapters.postgres.queue.changes import PostgresChanges

        return PostgresChanges(self.database, self.clock)

    @part
    def chunk_buffer(self) -> "ChunkBuffer":
        from ingest_assets.adapters.postgres.queue.buffers import PostgresChunkBuffer

        return PostgresChunkBuffer(self.database)

    @part
    def vector_buffer(self) -> "VectorBuffer":
        from ingest_assets.adapters.postgres.queue.buffers import PostgresVectorBuffer

        return PostgresVectorBuffer(self.database)

    @part
    def chunking(self) -> "ChunkingSettings":
        from ingest_assets.domain.text.chunking import ChunkingSettings

        return ChunkingSettings(self.settings.chunk_characters, self.settings.chunk_overlap)

    @part
    def progress(self) -> "Progress":
        from ingest_assets.pipeline.progress import ImmediateProgress

        return ImmediateProgress(self.changes)

    @part
    def steps(self) -> "dict[str, Step[Any]]":
        """Return the steps by asset, in order."""
        from ingest_assets.composition.steps import make_steps

        return make_steps(self)

    @part
    def attempts(self) -> "Attempts":
        from ingest_assets.pipeline.attempts import Attempts

        return Attempts(tuple(self.steps.values()), self.changes, self.failures, self.clock, self.observer)

    @part
    def drain(self) -> "Drain":
        from ingest_assets.pipeline.drain import Drain

        return Drain(
            self.claims,
            self.backlog,
            self.attempts,
            self.index_keeper,
            self.providers,
            self.lease,
            self.clock,
            self.observer,
        )

    @part
    def partition_steps(self) -> "PartitionSteps":
        from ingest_assets.pipeline.partition_steps import PartitionSteps

        return PartitionSteps(self.steps, self.claims, self.failures, self.documents, self.lease, self.observer)

    # Search

    @part
    def search(self) -> "Search":
        from ingest_assets.pipeline.search import Search

        return Search(self.search_index, self.embedder)

    @part
    def search_index(self) -> "SearchIndex":
        from ingest_assets.adapters.postgres.search.search_index import PostgresSearchIndex

        return PostgresSearchIndex(self.database, self.index_policy)

    @part
    def vector_index(self) -> "VectorIndex":
        from ingest_assets.adapters.postgres.search.vector_index import PostgresVectorIndex

        return PostgresVectorIndex(self.owner_url, self.index_policy)

    @part
    def vector_samples(self) -> "VectorSamples":
        from ingest_assets.adapters.postgres.search.vector_samples import PostgresVectorSamples

        return PostgresVectorSamples(self.database)

    @part
    def index_keeper(self) -> "IndexKeeper":
        from ingest_assets.pipeline.vector_index import IndexKeeper

        return IndexKeeper(self.vector_index, self.embedder, self.index_policy, self.observer)

    def close(self) -> None:
        """Close everything that was made. The embedded server stops if nobody else uses it."""
        made = vars(self)
        if "local_parser" in made:
            self.local_parser.close()
        if "database" in made:
            self.database.close()
        if "embedded_postgres" in made:
            self.embedded_postgres.stop()
