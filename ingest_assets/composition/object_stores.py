"""The store that a URL names."""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ingest_assets.domain.errors import PermanentError

if TYPE_CHECKING:
    from ingest_assets.composition.deployment import Deployment
    from ingest_assets.pipeline.ports.object_store import ObjectStore
    from ingest_assets.pipeline.store_copy import StoreCopy


def opened_store(url: str, known: Path | None = None) -> "ObjectStore":
    """Return the store of objects that neither encrypts nor decrypts.

    Args:
        url: The store's URL.
        known: See `LocalFiles`.

    Raises:
        PermanentError: extra_missing.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        from ingest_assets.adapters.object_stores.local_files import LocalFiles

        return LocalFiles(Path(unquote(parts.path)), known)
    try:
        from ingest_assets.adapters.object_stores.bucket import Bucket
    except ModuleNotFoundError:
        raise PermanentError("extra_missing", what="A bucket as document store", name="s3") from None
    return Bucket(parts.netloc, unquote(parts.path).strip("/"))


def make_store_copy(deployment: "Deployment", target: str) -> "StoreCopy":
    from ingest_assets.adapters.postgres.documents.object_records import PostgresObjectRecords
    from ingest_assets.adapters.postgres.documents.store_ids import PostgresStoreIds
    from ingest_assets.pipeline.store_copy import StoreCopy

    database = deployment.database
    records, ids = PostgresObjectRecords(database), PostgresStoreIds(database)
    return StoreCopy(deployment.sealed_objects, opened_store(target), ids, records)
