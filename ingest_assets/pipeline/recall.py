"""Measure what share of the nearest chunks a search finds, against comparing all of them."""

from collections.abc import Iterable, Iterator

from ingest_assets.domain.documents.document import Producer
from ingest_assets.domain.search.hits import Recall, VectorSample
from ingest_assets.pipeline.ports.indexing import VectorSamples
from ingest_assets.pipeline.ports.searching import SearchIndex

NEAREST = 10
QUERIES = 50
COMPARED_ROWS = 1_000_000
"""After this many comparisons, which take some seconds, no further query runs: large users get fewer queries."""


def recall_of(model: Producer, *, index: SearchIndex, samples: VectorSamples) -> Recall:
    """Return the recall of the NEAREST chunks, with stored vectors as queries; a query from a user may find less."""
    queries = found = expected = 0
    for sample in _affordable(samples.draw(model, QUERIES)):
        nearest = index.nearest(sample.user_id, sample.vector, model, NEAREST + 1)
        others = [chunk_id for chunk_id in nearest if chunk_id != sample.chunk_id][:NEAREST]
        right, all_of_them = samples.compare(sample, model, others, NEAREST)
        queries, found, expected = queries + 1, found + right, expected + all_of_them
    return Recall(queries, found, expected)


def _affordable(drawn: Iterable[VectorSample]) -> Iterator[VectorSample]:
    """Yield samples, at least one, until they compare too many rows."""
    compared = 0
    for sample in drawn:
        yield sample
        compared += sample.rows
        if compared >= COMPARED_ROWS:
            return
