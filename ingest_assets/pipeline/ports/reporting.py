"""What Dagster has been told, and which documents it lists."""

from contextlib import AbstractContextManager
from typing import Protocol

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.documents.retention import ListedDocuments
from ingest_assets.domain.queue.jobs import Outcome


class Reports(Protocol):
    """Ended jobs that Dagster does not know of yet. A block's jobs are marked as reported if the block ends well."""

    def finished(self, limit: int) -> AbstractContextManager[list[Outcome]]:
        """Yield up to `limit` finished jobs."""

    def dead_letters(self, limit: int) -> AbstractContextManager[list[DocumentId]]:
        """Yield up to `limit` dead letters."""


class Partitions(Protocol):
    """The documents that Dagster lists, one partition each. A block's documents are unlisted if the block ends well."""

    def listed(self) -> ListedDocuments:
        """Return how many documents Dagster lists beyond the unfinished and failed ones."""

    def oldest(self, limit: int) -> AbstractContextManager[list[DocumentId]]:
        """Yield up to `limit` listed finished documents, first finished first."""

    def deleted(self, limit: int) -> AbstractContextManager[list[DocumentId]]:
        """Yield up to `limit` deleted documents that may still be listed."""
