"""What other tools have made than those in use now is made again, from the first step that they concern."""

from collections.abc import Sequence

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.documents.outdated import OutdatedDocument
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.pipeline.services import Services


def outdated_documents(services: Services) -> list[OutdatedDocument]:
    return services.documents.outdated(services.parser.producer_of, services.chunking.chunker, services.embedder.model)


def refresh(outdated: Sequence[OutdatedDocument], actor: Actor, services: Services) -> list[DocumentId]:
    """Queues them; those that others have begun to work on since are left to them."""
    return services.jobs.refresh([each.document_id for each in outdated], actor)
