"""Partitions: one for each document, whose id is the key."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from uuid import UUID

import dagster as dg

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.errors import PermanentError

PARTITION_TAG = "dagster/partition"
"""The tag in which Dagster keeps a run's partition key."""

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


def documents_of(keys: Iterable[str]) -> Iterator[DocumentId]:
    """Yield the documents of these partition keys; a person may have added keys that name none."""
    for key in keys:
        with suppress(PermanentError):
            yield document_id_of(key)
