"""The deployment that the settings describe. Each part is made on first use, together with the parts it needs."""

from typing import TYPE_CHECKING, Any

from ingest_assets.composition.parts import part
from ingest_assets.composition.searching import Searching
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.queue.lanes import Lane
from ingest_assets.domain.roles import Role

if TYPE_CHECKING:
    from ingest_assets.domain.queue.retry_policy import RetryPolicy
    from ingest_assets.domain.text.chunking import ChunkingSettings
    from ingest_assets.pipeline.alerting import Alerting
    from ingest_assets.pipeline.attachments import Attachments
    from ingest_assets.pipeline.attempts import Attempts
    from ingest_assets.pipeline.dashboards import Dashboards
    from ingest_assets.pipeline.deletion import Deletion
    from ingest_assets.pipeline.drain import Drain
    from ingest_assets.pipeline.encryption import Encryption
    from ingest_assets.pipeline.failure import Failures
    from ingest_assets.pipeline.intake import Intake
    from ingest_assets.pipeline.integrity import Integrity
    from ingest_assets.pipeline.measuring import Measuring
    from ingest_assets.pipeline.partition_steps import PartitionSteps
    from ingest_assets.pipeline.ports.checking import Inspection, StoredDocuments, ToldOutcomes
    from ingest_assets.pipeline.ports.claiming import Backlog, Claims
    from ingest_assets.pipeline.ports.deleting import Deletions
    from ingest_assets.pipeline.ports.instances import Instances, Listings
    from ingest_assets.pipeline.ports.intake import FileSystem, IntakeRecords
    from ingest_assets.pipeline.ports.operating import Flows, Operations, Pauses
    from ingest_assets.pipeline.ports.processing import Changes, ChunkBuffer, Progress, VectorBuffer
    from ingest_assets.pipeline.ports.providers import Chunker
    from ingest_assets.pipeline.ports.reading import Announcements, Documents
    from ingest_assets.pipeline.ports.recording import Records
    from ingest_assets.pipeline.ports.reporting import Partitions, Reports
    from ingest_assets.pipeline.pruning import Pruning
    from ingest_assets.pipeline.refresh import Refresh
    from ingest_assets.pipeline.remote_upkeep import RemoteUpkeep
    from ingest_assets.pipeline.steps.step import Step
    from ingest_assets.pipeline.store_ownership import StoreOwnership
    from ingest_assets.pipeline.summarising import Summarising
    from ingest_assets.pipeline.sweep import Sweep


class Deployment(Searching):
    """Everything that one process uses of the system."""

    def replacing(self, **parts: Any) -> "Deployment":
        """Return a deployment that shares this one's database and has these parts, which are named as here.

        What was replaced before stays replaced.
        """
        other = Deployment(self.settings)
        other.replaced = self.replaced | {"database": self.database} | parts
        vars(other).update(other.replaced)
        return other

    def without_waiting(self) -> "Deployment":
        """Return a deployment for which a database that does not answer is away at once, and no longer waited for."""
        from ingest_assets.adapters.postgres.database import Database

        return self.replacing(database=Database(self.url_of(Role.WORKER), connections=1, patience=0.0))

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
    def instances(self) -> "Instances":
        from ingest_assets.adapters.postgres.queue.instances import PostgresInstances

        return PostgresInstances(self.database, self.instance_name, self.boot)

    @part
    def listings(self) -> "Listings":
        from ingest_assets.adapters.postgres.queue.instances import PostgresListings

        return PostgresListings(self.database)

    @part
    def flows(self) -> "Flows":
        from ingest_assets.adapters.postgres.queue.flow import PostgresFlows

        return PostgresFlows(self.database)

    @part
    def pauses(self) -> "Pauses":
        from ingest_assets.adapters.postgres.queue.flow import PostgresPauses

        return PostgresPauses(self.database)

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
    def alerting(self) -> "Alerting":
        from ingest_assets.composition.alerts import make_alerting

        return make_alerting(self)

    @part
    def summarising(self) -> "Summarising":
        from ingest_assets.composition.alerts import make_summarising

        return make_summarising(self)

    @part
    def measuring(self) -> "Measuring":
        from ingest_assets.composition.measuring import make_measuring

        return make_measuring(self)

    @part
    def records(self) -> "Records":
        from ingest_assets.adapters.postgres.queue.records import PostgresRecords

        return PostgresRecords(self.database)

    @part
    def dashboards(self) -> "Dashboards":
        from datetime import timedelta

        from ingest_assets.pipeline.dashboards import Dashboards

        return Dashboards(
            self.flows,
            self.pauses,
            self.records,
            self.measuring.collect,
            lambda: self.ledger.costs(by_day=True),
            timedelta(seconds=self.settings.promise_seconds),
        )

    @part
    def retry_policy(self) -> "RetryPolicy":
        from ingest_assets.domain.queue.retry_policy import RetryPolicy

        return RetryPolicy()

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

    def announcements(self) -> "Announcements":
        """Return the history from now on; each follows it by itself."""
        from ingest_assets.adapters.postgres.documents.announcements import PostgresAnnouncements

        return PostgresAnnouncements(self.database)

    @part
    def intake_records(self) -> "IntakeRecords":
        from ingest_assets.adapters.postgres.documents.intake_records import PostgresIntakeRecords

        return PostgresIntakeRecords(self.database)

    @part
    def store_ownership(self) -> "StoreOwnership":
        from ingest_assets.adapters.postgres.documents.store_ids import PostgresStoreIds
        from ingest_assets.pipeline.store_ownership import StoreOwnership

        return StoreOwnership(self.objects, PostgresStoreIds(self.database))

    @part
    def intake(self) -> "Intake":
        from ingest_assets.pipeline.intake import Intake

        settings = self.settings
        return Intake(
            self.intake_records, self.objects, self.store_ownership, settings.max_file_bytes, settings.archives
        )

    @part
    def attachments(self) -> "Attachments":
        from ingest_assets.adapters.postgres.documents.attachments import PostgresAttachmentRecords
        from ingest_assets.pipeline.attachments import Attachments

        return Attachments(self.intake, PostgresAttachmentRecords(self.database), self.deletion)

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

        return Deletion(self.deletions, self.objects, self.observer, self.user_keys)

    @part
    def remote_upkeep(self) -> "RemoteUpkeep":
        from ingest_assets.adapters.postgres.spending.remote_leftovers import PostgresRemoteLeftovers
        from ingest_assets.composition.providers import keepers
        from ingest_assets.pipeline.remote_upkeep import RemoteUpkeep

        leftovers = PostgresRemoteLeftovers(self.database)
        return RemoteUpkeep(leftovers, keepers(self.settings), self.paid_calls, self.observer, self.clock)

    @property
    def encryption(self) -> "Encryption":
        """Return what encrypts what is stored already.

        Raises:
            PermanentError: wrong_usage, if there is no master key.
        """
        from ingest_assets.domain.errors import PermanentError
        from ingest_assets.pipeline.encryption import Encryption

        if self.key_management is None:
            raise PermanentError("wrong_usage", what="Set INGEST_MASTER_KEY_FILE to a file with the master key.")
        return Encryption(self.objects, self.encrypted_objects, self.user_keys, self.key_management, self.documents)

    @part
    def integrity(self) -> "Integrity":
        """Return what looks for anything wrong, except in Dagster."""
        from ingest_assets.pipeline.integrity import Integrity, StoredBytes, SweptStore

        stored = StoredBytes(self.stored_documents, self.documents, self.objects)
        return Integrity((self.stored_rows, stored, SweptStore(self.sweep)))

    @part
    def stored_rows(self) -> "Inspection":
        from ingest_assets.adapters.postgres.integrity import StoredRows

        return StoredRows(self.database, self.lease)

    @part
    def stored_documents(self) -> "StoredDocuments":
        from ingest_assets.adapters.postgres.integrity import PostgresStoredDocuments

        return PostgresStoredDocuments(self.database)

    @part
    def told_outcomes(self) -> "ToldOutcomes":
        from ingest_assets.adapters.postgres.integrity import PostgresToldOutcomes

        return PostgresToldOutcomes(self.database)

    @part
    def sweep(self) -> "Sweep":
        from ingest_assets.adapters.postgres.documents.object_records import PostgresObjectRecords
        from ingest_assets.pipeline.sweep import Sweep

        return Sweep(
            self.objects,
            PostgresObjectRecords(self.database),
            self.clock,
            self.settings.sweep_limits,
            self.store_ownership,
        )

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

        return PostgresChanges(self.database, self.clock, self.lease)

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
    def chunker(self) -> "Chunker":
        from ingest_assets.adapters.parsers.chunker import LocalChunker

        return LocalChunker(self.chunking, lambda: self.local_parser)

    @part
    def progress(self) -> "Progress":
        from ingest_assets.pipeline.progress import ImmediateProgress

        return ImmediateProgress(self.changes, self.clock)

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

        settings = self.settings
        places = {
            Lane.PARSE: settings.parses_in_flight,
            Lane.OCR: settings.recognitions_in_flight,
            Lane.EMBED: settings.embeddings_in_flight,
        }
        return Drain(
            self.claims,
            self.backlog,
            self.attempts,
            self.index_keeper,
            self.providers,
            places,
            self.lease,
            self.clock,
            self.observer,
        )

    @part
    def partition_steps(self) -> "PartitionSteps":
        from ingest_assets.pipeline.partition_steps import PartitionSteps

        return PartitionSteps(
            self.steps, self.claims, self.failures, self.documents, self.lease, self.observer, self.reports
        )

    def close(self) -> None:
        """Close everything that was made. The embedded server stops if nobody else uses it."""
        made = vars(self)
        if "local_parser" in made:
            self.local_parser.close()
        if "database" in made:
            self.database.close()
        if made.get("search_database") is not None:
            made["search_database"].close()
        if "measuring_database" in made:
            self.measuring_database.close()
        if "embedded_postgres" in made:
            self.embedded_postgres.stop()
