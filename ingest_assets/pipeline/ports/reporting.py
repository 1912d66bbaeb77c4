"""What Dagster has been told, and which documents it lists."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Protocol

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.documents.retention import ListedDocuments
from ingest_assets.domain.queue.jobs import Outcome


class Reports(Protocol):
    """Ended jobs that Dagster does not know of yet.

    Nobody else is given a block's jobs meanwhile, unless the block takes minutes; no transaction stays open for it. If
    it ends well, the Dagster with this id of its storage lists their documents; any other one no longer does.
    """

    def finished(self, limit: int, dagster_id: str | None = None) -> AbstractContextManager[list[Outcome]]:
        """Yield up to `limit` finished jobs. If the block ends well, they are marked as reported."""

    def dead_letters(self, limit: int, dagster_id: str | None = None) -> AbstractContextManager[list[DocumentId]]:
        """Yield up to `limit` dead letters. Those that are not shown within minutes are given again."""

    def dead_letter_shown(self, document_id: DocumentId) -> None:
        """Note that Dagster shows this dead letter."""

    def overdue(self, age: timedelta) -> bool:
        """Return whether a job has been finished for longer than `age` and is not reported."""

    def told(self, document_ids: Sequence[DocumentId], dagster_id: str) -> list[DocumentId]:
        """Return those of these documents that are finished, and of which this Dagster was the last to be told."""

    def repeat(self, document_ids: Sequence[DocumentId]) -> None:
        """Have those of these documents that are finished reported once more."""


class Partitions(Protocol):
    """The documents that Dagster lists, one partition each. A block's documents are unlisted if the block ends well."""

    def listed(self) -> ListedDocuments:
        """Return how many documents Dagster lists beyond the unfinished and failed ones."""

    def oldest(self, limit: int) -> AbstractContextManager[list[DocumentId]]:
        """Yield up to `limit` listed finished documents, first finished first."""

    def deleted(self, limit: int) -> AbstractContextManager[list[DocumentId]]:
        """Yield up to `limit` deleted documents that may still be listed."""
