"""Stored vectors used as queries, compared with all others to measure recall."""

from collections.abc import Sequence

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents.document import ChunkId, Producer
from ingest_assets.domain.search.hits import Recall, VectorSample


class PostgresVectorSamples:
    """Draw stored vectors, and compare what a search found for one with the exact answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def models(self) -> list[Producer]:
        with self._database.connection() as connection:
            return [Producer(**row) for row in connection.execute(query("embedding_models"))]

    def draw(self, model: Producer, count: int) -> list[VectorSample]:
        names = {"embed_model": model.name, "embed_version": model.version, "count": count}
        with self._database.connection() as connection:
            rows = connection.execute(query("draw_vectors"), names).fetchall()
        return [VectorSample(**row | {"vector": row["vector"].to_numpy()}) for row in rows]

    def compare(self, sample: VectorSample, model: Producer, found: Sequence[ChunkId], limit: int) -> tuple[int, int]:
        names = {
            "embed_model": model.name,
            "embed_version": model.version,
            "user_id": sample.user_id,
            "chunk_id": sample.chunk_id,
            "vector": sample.vector,
            "found": list(found),
            "limit": limit,
        }
        with self._database.connection() as connection:
            [row] = connection.execute(query("compare_with_all"), names)
        return row["found"], row["expected"]

    def record(self, model: Producer, recall: Recall) -> None:
        names = {"embed_model": model.name, "embed_version": model.version, "recall": recall.share}
        with self._database.connection() as connection:
            connection.execute(query("record_recall"), names)
