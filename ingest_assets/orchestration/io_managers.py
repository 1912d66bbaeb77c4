"""Where each asset's value is kept: every write is the pipeline's own, so both ways through it leave the same."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import dagster as dg

from ingest_assets.domain.documents.document import Chunk, DocumentId, ParsedDocument
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.jobs import Job, Payload, without_text
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.orchestration.claims import held_job, release_unless_continued, shown_as_failure
from ingest_assets.orchestration.partitions import document_id_of
from ingest_assets.orchestration.resources import Pipeline
from ingest_assets.pipeline.chunk import store_chunks
from ingest_assets.pipeline.commit import Version, commit_version
from ingest_assets.pipeline.embed import Embedding, StoredVectors, store_embedding
from ingest_assets.pipeline.parse import load_parse, store_parse
from ingest_assets.pipeline.services import Services


@dataclass(frozen=True)
class StepIOManager(dg.IOManager):
    """Stores a step's value under the run's claim; the stored event's payload becomes the asset's metadata."""

    pipeline: Pipeline
    stage: ClassVar[Stage]
    successor: ClassVar[str | None]

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        run, services = context.step_context.dagster_run, self.pipeline.services
        with held_job(run, context.partition_key, services, self.stage) as job:
            context.add_output_metadata(without_text(self.store(job, obj, services)))
            release_unless_continued(run, job, self.successor, services)

    def load_input(self, context: dg.InputContext) -> Any:
        with shown_as_failure():
            return self.load(document_id_of(context.partition_key), self.pipeline.services)

    @abstractmethod
    def store(self, job: Job, value: Any, services: Services) -> Payload: ...

    @abstractmethod
    def load(self, document_id: DocumentId, services: Services) -> Any: ...


class ParsedText(StepIOManager):
    stage = Stage.JOB_VALIDATED
    successor = "chunks"

    def store(self, job: Job, value: ParsedDocument, services: Services) -> Payload:
        return store_parse(job, value, documents=services.documents, objects=services.objects)

    def load(self, document_id: DocumentId, services: Services) -> ParsedDocument:
        document = services.documents.find(document_id)
        if document is None:
            raise PermanentError("unknown_document")
        return load_parse(document, documents=services.documents, objects=services.objects)


class ChunkBuffer(StepIOManager):
    stage = Stage.CHUNKING
    successor = "embeddings"

    def store(self, job: Job, value: list[Chunk], services: Services) -> Payload:
        return store_chunks(job, value, services.chunking, chunk_buffer=services.chunk_buffer)

    def load(self, document_id: DocumentId, services: Services) -> list[Chunk]:
        return services.chunk_buffer.load(document_id)


class VectorBuffer(StepIOManager):
    stage = Stage.EMBEDDING
    successor = "finalized_chunks"

    def store(self, job: Job, value: Embedding, services: Services) -> Payload:
        return store_embedding(job, value, vector_buffer=services.vector_buffer)

    def load(self, document_id: DocumentId, services: Services) -> StoredVectors:
        model = services.embedder.model
        return StoredVectors(model, frozenset(services.vector_buffer.present(document_id, model)))


class DocumentChunks(StepIOManager):
    stage = Stage.EMBEDDED
    successor = None

    def store(self, job: Job, value: Version, services: Services) -> Payload:
        return commit_version(job, value, committed=services.committed, reported=True)

    def load(self, document_id: DocumentId, services: Services) -> list[Chunk]:
        return services.chunk_buffer.load(document_id)
