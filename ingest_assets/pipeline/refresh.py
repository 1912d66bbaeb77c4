"""Requeue documents made by outdated tools, from the first step that the change concerns."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingest_assets.domain.documents.document import DocumentId, Producer
from ingest_assets.domain.documents.outdated import OutdatedDocument
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.pipeline.ports.operating import Operations
from ingest_assets.pipeline.ports.providers import Embedder, Parser


@dataclass(frozen=True)
class Refresh:
    operations: Operations
    parser: Parser
    chunker: Producer
    embedder: Embedder

    def outdated(self) -> list[OutdatedDocument]:
        return self.operations.outdated(self.parser.producer_of, self.chunker, self.embedder.model)

    def queue(self, outdated: Sequence[OutdatedDocument], actor: Actor) -> list[DocumentId]:
        """Requeue these documents, except those that others have begun to work on since."""
        return self.operations.refresh([each.document_id for each in outdated], actor)
