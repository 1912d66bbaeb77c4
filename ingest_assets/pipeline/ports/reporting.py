"""What Dagster is told."""

from contextlib import AbstractContextManager
from typing import Protocol

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.documents.retention import ListedDocuments


class Partitions(Protocol):
    """Which documents Dagster lists, each a partition."""

    def listed(self) -> ListedDocuments: ...

    def oldest(self, limit: int) -> AbstractContextManager[list[DocumentId]]:
        """Listed finished documents, first finished first; no longer listed where the block ends well."""

    def deleted(self, limit: int) -> AbstractContextManager[list[DocumentId]]:
        """Deleted documents that may be listed; no longer listed where the block ends well."""
