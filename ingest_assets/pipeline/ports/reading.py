"""Documents as people see them."""

from typing import Protocol

from ingest_assets.domain.documents.document import Document, DocumentId
from ingest_assets.domain.queue.jobs import Event, FailedDocument, JobStatus


class SeenDocuments(Protocol):
    """Documents as somebody may see them: a user only its own."""

    def find(self, document_id: DocumentId) -> Document | None: ...

    def sources(self, document_id: DocumentId) -> list[str]: ...

    def status(self, document_id: DocumentId) -> JobStatus | None: ...

    def history(self, document_id: DocumentId) -> list[Event]:
        """Also of a document that is gone."""

    def counts(self) -> dict[str, int]:
        """`documents`, `searchable`, `dead_letters`."""

    def by_stage_and_state(self) -> dict[str, int]:
        """How many jobs there are, by "stage/state"."""

    def failed(self) -> list[FailedDocument]: ...
