"""What the sweep needs of the database."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.documents.sweeping import RecordedObjects


class HeldDocuments(Mapping[DocumentId, RecordedObjects | None]):
    """Documents that are kept as they are, with what their rows name."""

    @abstractmethod
    def assure(self) -> None:
        """Assure that the documents are still held.

        Raises:
            OutageError: database_unreachable, if they may not be any more.
        """


class ObjectRecords(Protocol):
    """The objects that the rows of documents name."""

    def by_owner(self) -> Iterator[RecordedObjects]:
        """Yield what every row names, in the order of users, then documents; each part as of the time it is read."""

    def of_documents(self, document_ids: Sequence[DocumentId]) -> dict[DocumentId, RecordedObjects]:
        """Return what the rows of these documents name; a document without a row has no entry."""

    def held(self, user_id: UserId, document_ids: Sequence[DocumentId]) -> AbstractContextManager[HeldDocuments]:
        """Keep documents of one user as they are during the block, and yield what their rows name.

        The user's intake waits, and no worker takes these documents up. A document without a row has the entry None.
        Documents in work have none.
        """
