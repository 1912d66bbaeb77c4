"""Partitions: one for each document, whose id is the key."""

from uuid import UUID

import dagster as dg

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.errors import PermanentError

documents = dg.DynamicPartitionsDefinition(name="documents")


def document_id_of(partition_key: str) -> DocumentId:
    """Return the id in a partition key.

    Raises:
        PermanentError: unknown_document.
    """
    try:
        return DocumentId(UUID(partition_key))
    except ValueError:
        raise PermanentError("unknown_document") from None
