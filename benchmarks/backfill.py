"""A backfill of many partitions, started as Dagster's page starts it, of documents that are searchable already.

Some documents' stored bytes are damaged before: exactly their partitions must be shown as failed.
"""

from collections.abc import Iterator
from uuid import UUID

from benchmarks.dagster_page import DagsterPage
from benchmarks.deployments import Home, fresh_home, wait_until
from benchmarks.documents import write_documents
from benchmarks.figures import Figures
from benchmarks.queue_state import wait_for_end
from benchmarks.sizes import Sizes
from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.pipeline.stored_objects import content_key

DAMAGED = 3


def measure(sizes: Sizes) -> Iterator[Figures]:
    with fresh_home() as home:
        write_documents(home.folder / "documents", sizes.partitions)
        with home.up() as (_, page):
            home.ingest("submit", home.folder / "documents")
            wait_for_end(home, sizes.partitions)
            wait_until(page.is_idle, "an idle deployment", seconds=180, every=0.5)
            yield _backfill(home, page)


def _backfill(home: Home, page: DagsterPage) -> Figures:
    keys = [str(row["document_id"]) for row in home.rows("SELECT document_id FROM upload_pipeline.documents")]
    damaged = set(keys[:DAMAGED])
    for key in damaged:
        _damage(home, DocumentId(UUID(key)))
    backfill_id = page.backfill(keys)
    wait_until(lambda: page.backfill_has_ended(backfill_id), "the backfill's end", every=0.5)
    runs = page.runs(tags=[{"key": "dagster/backfill", "value": backfill_id}])
    seconds = max(run["endTime"] for run in runs) - min(run["creationTime"] for run in runs)
    return {
        "backfill_s_per_partition": seconds / len(keys),
        "backfill_s": seconds,
        "backfill_runs": len(runs),
        "backfill_failed_partitions": len(page.partitions("parsed_markdown")[1]),
        "backfill_is_truthful": float(_is_truthful(page, set(keys), damaged)),
    }


def _damage(home: Home, document_id: DocumentId) -> None:
    deployment = home.deployment
    document = deployment.documents.find(document_id)
    assert document is not None
    deployment.objects.put(content_key(document), b"damaged")


def _is_truthful(page: DagsterPage, keys: set[str], damaged: set[str]) -> bool:
    """The first asset's partition fails where the document is damaged; all the others' are materialized."""
    materialized, failed = page.partitions("parsed_markdown")
    return failed == damaged and materialized == keys - damaged
