"""What share of the nearest chunks a search finds, measured against comparing all of them."""

from collections.abc import Iterable, Iterator

from ingest_assets.domain.documents.document import Producer
from ingest_assets.domain.search.hits import Recall, VectorSample
from ingest_assets.pipeline.ports.indexing import VectorSamples
from ingest_assets.pipeline.ports.searching import SearchIndex

NEAREST = 10
QUERIES = 50
COMPARED_ROWS = 1_000_000
"""After so many comparisons, some seconds' work, no query follows: where users are large there are fewer queries."""


def recall_of(model: Producer, *, index: SearchIndex, samples: VectorSamples) -> Recall:
    """Of NEAREST chunks, for stored vectors as queries; a question that nobody has stored may find less."""
    queries = found = expected = 0
    for sample in _affordable(samples.draw(model, QUERIES)):
        nearest = index.nearest(sample.user_id, sample.vector, model, NEAREST + 1)
        others = [chunk_id for chunk_id in nearest if chunk_id != sample.chunk_id][:NEAREST]
        right, all_of_them = samples.compare(sample, model, others, NEAREST)
        queries, found, expected = queries + 1, found + right, expected + all_of_them
    return Recall(queries, found, expected)


def _affordable(drawn: Iterable[VectorSample]) -> Iterator[VectorSample]:
    """At least one."""
    compared = 0
    for sample in drawn:
        yield sample
        compared += sample.rows
        if compared >= COMPARED_ROWS:
            return
