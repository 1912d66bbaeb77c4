"""What people need to operate the queue: to see it, to hold it, to put documents back or take them out."""

from collections.abc import Callable, Sequence
from typing import Protocol

from ingest_assets.domain.documents.document import DocumentId, Producer
from ingest_assets.domain.documents.outdated import OutdatedDocument
from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.queue.flow import Flow
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.domain.queue.pauses import Pause, Paused


class Operations(Protocol):
    def replay(self, document_ids: Sequence[DocumentId], actor: Actor) -> list[DocumentId]:
        """Requeue those of these documents that are dead letters or wait for a retry, and return them."""

    def cancel(self, document_ids: Sequence[DocumentId], actor: Actor, reason: IngestError) -> list[DocumentId]:
        """Make dead letters of those of these documents that are unfinished, and return them.

        Whoever works on one loses its claim. An older version stays searchable.
        """

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


class Flows(Protocol):
    """How work flows through the queue."""

    def flow(self) -> Flow:
        """Return the queue as it is now."""


class Pauses(Protocol):
    """What people have paused. Nobody claims what is paused; what is under way goes on."""

    def pause(self, paused: Paused) -> bool:
        """Pause it, and return whether it was not paused before."""

    def resume(self, paused: Paused) -> bool:
        """End a pause, and return whether there was one."""

    def all(self) -> list[Pause]:
        """Return all pauses, the oldest first."""
