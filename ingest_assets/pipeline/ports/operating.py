"""What people need of the queue to requeue documents."""

from collections.abc import Callable, Sequence
from typing import Protocol

from ingest_assets.domain.documents.document import DocumentId, Producer
from ingest_assets.domain.documents.outdated import OutdatedDocument
from ingest_assets.domain.queue.jobs import Actor


class Operations(Protocol):
    def replay(self, document_ids: Sequence[DocumentId], actor: Actor) -> list[DocumentId]:
        """Requeue those of these documents that are dead letters or wait for a retry, and return them."""

    def refresh(self, document_ids: Sequence[DocumentId], actor: Actor) -> list[DocumentId]:
        """Requeue those of these documents that are finished, and return them."""

    def outdated(
        self, parser_of: Callable[[str], Producer], chunker: Producer, model: Producer
    ) -> list[OutdatedDocument]:
        """Return the finished documents whose results were made by other tools than these.

        Args:
            parser_of: Gives the parser now in use for a media type.
            chunker: The chunker now in use.
            model: The embedding model now in use.
        """
