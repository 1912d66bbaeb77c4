"""Asset checks: of each document, of the queue and all rows, and of searches."""

from ingest_assets.orchestration.checks.of_documents import chunks_are_complete, every_chunk_has_a_vector
from ingest_assets.orchestration.checks.of_queue import check_queue, check_rows, queue_is_fresh, rows_agree
from ingest_assets.orchestration.checks.of_search import measure_recall, nearest_chunks_are_found

CHECKS = [chunks_are_complete, every_chunk_has_a_vector, nearest_chunks_are_found, queue_is_fresh, rows_agree]

__all__ = ["CHECKS", "check_queue", "check_rows", "measure_recall", "queue_is_fresh", "rows_agree"]
