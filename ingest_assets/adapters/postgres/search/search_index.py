"""Search in Postgres: vectors by their bits or by HNSW, words by an index that holds each word behind its owner."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from psycopg import Connection
from psycopg.types.json import Jsonb

from ingest_assets.adapters.postgres.connections import Row
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.search.vector_index import index_name
from ingest_assets.domain.documents.document import ChunkId, DocumentId, Producer, UserId, Vectors
from ingest_assets.domain.documents.metadata import Condition, Operator
from ingest_assets.domain.search.hits import Hit
from ingest_assets.domain.search.index_policy import IndexKind, IndexPolicy
from ingest_assets.domain.search.spellings import with_spellings
from ingest_assets.domain.search.word_choice import RANKED_ROWS, Word, WordChoice, choose_words, frequency
from ingest_assets.domain.text.vocabulary import COMMON_WORDS
from ingest_assets.pipeline.ports.searching import Documents

CANDIDATES = {IndexKind.BITS: 200, IndexKind.HALFVEC: 100}
"""How many rows are found and then ranked by the cosine: as many as recall@10 needs (docs/decisions/0003)."""

EXACT = {IndexKind.BITS: "nearest_of_all_bits", IndexKind.HALFVEC: "nearest_of_all_vectors"}
INDEXED = {IndexKind.BITS: "nearest_by_bits", IndexKind.HALFVEC: "nearest_by_halfvec"}

COUNTED_ROWS = 50_000
"""A user with more chunks counts as having this many."""
SAMPLED_ROWS = 200
"""How many chunks the frequency of words is counted in, for users with too many chunks to rank them all."""
HAS_NUMBER = re.compile("[0-9]")
FEW_DOCUMENTS = 500
"""Where only up to this many documents are searched, all of their chunks are compared, if their user has very many."""
FEW_NUMBERED_ROWS = 50
"""A number of few digits does not count if more chunks have it."""
UNSAMPLED_ROWS = RANKED_ROWS * 3 // 2
"""Up to this many chunks, ranking all of them costs less than sampling them to choose some."""


class PostgresSearchIndex:
    """Find chunks as their user, under row-level security."""

    def __init__(self, database: Database, policy: IndexPolicy) -> None:
        self._database = database
        self._policy = policy

    def documents_that_meet(self, user_id: UserId, conditions: Sequence[Condition]) -> list[DocumentId]:
        equal = [condition for condition in conditions if condition.operator is Operator.EQUAL]
        bounded = [condition for condition in conditions if condition.operator is not Operator.EQUAL]
        if len(values := {(each.key, each.value) for each in equal}) > len({key for key, _ in values}):
            return []
        names = {
            "user_id": user_id,
            "equal": Jsonb(dict(values)),
            "keys": [condition.key for condition in bounded],
            "operators": [condition.operator.value for condition in bounded],
            "bounds": [condition.value for condition in bounded],
        }
        with self._searching(user_id) as connection:
            return [row["document_id"] for row in connection.execute(query("documents_that_meet"), names)]

    def nearest(
        self, user_id: UserId, vector: Vectors, model: Producer, limit: int, documents: Documents = None
    ) -> list[ChunkId]:
        kind = self._policy.kind_of(model)
        names = {
            "user_id": user_id,
            "vector": vector,
            "embed_model": model.name,
            "embed_version": model.version,
            "candidates": max(CANDIDATES[kind], limit),
            "limit": limit,
            "documents": _given(documents),
        }
        with self._searching(user_id) as connection:
            statement = EXACT[kind]
            if self._needs_index(connection, user_id, model):
                if _are_few(documents):
                    statement = "nearest_in_documents"
                else:
                    statement = INDEXED[kind]
                    connection.execute(query("order_by_index"))
            # Prepared, the statement might get a plan for any model, and no model's index serves any.
            return [row["chunk_id"] for row in connection.execute(query(statement), names, prepare=False)]

    def matching(self, user_id: UserId, query_text: str, limit: int, documents: Documents = None) -> list[ChunkId]:
        with self._searching(user_id) as connection:
            choice = _choose_words(connection, user_id, query_text)
            numbered = list(_numbered(connection, query_text, choice, limit, documents))
            if not choice.ranked:
                return numbered
            names = {
                "rare": list(choice.rare),
                "frequent": list(choice.frequent),
                "ranked": _any_of(choice.ranked),
                "most": max(2 * RANKED_ROWS, limit),
                "depth": limit,
                "user_id": user_id,
                "documents": _given(documents),
            }
            within = "matching_in_documents" if _are_few(documents) else "matching_chunks"
            matching = [row["chunk_id"] for row in connection.execute(query(within), names)]
        return list(dict.fromkeys(numbered + matching))[:limit]

    def numbered(self, user_id: UserId, query_text: str, limit: int, documents: Documents = None) -> dict[ChunkId, int]:
        if not HAS_NUMBER.search(query_text):
            return {}
        with self._searching(user_id) as connection:
            choice = _choose_words(connection, user_id, query_text)
            return _numbered(connection, query_text, choice, limit, documents)

    def hits(self, user_id: UserId, chunk_ids: Sequence[ChunkId]) -> list[Hit]:
        names = {"user_id": user_id, "chunk_ids": list(chunk_ids)}
        with self._searching(user_id) as connection:
            rows = connection.execute(query("hits"), names).fetchall()
        return [Hit(**row | {"score": 0.0, "heading_path": tuple(row["heading_path"])}) for row in rows]

    @contextmanager
    def _searching(self, user_id: UserId) -> Iterator[Connection[Row]]:
        """Yield a connection that sees this user's rows only, and whose plans do not depend on statistics."""
        with self._database.as_seen_by(user_id).connection("keep_to_indexes") as connection:
            yield connection

    def _needs_index(self, connection: Connection[Row], user_id: UserId, model: Producer) -> bool:
        kind = self._policy.kind_of(model)
        names = {
            "user_id": user_id,
            "index": f"upload_pipeline.{index_name(model, kind)}",
            "exact_rows": self._policy.costs[kind].exact_rows,
        }
        [row] = connection.execute(query("needs_index"), names)
        return bool(row["needed"])


def _choose_words(connection: Connection[Row], user_id: UserId, query_text: str) -> WordChoice:
    asked = {
        "user_id": user_id,
        "query": with_spellings(query_text, COMMON_WORDS),
        "common_words": " ".join(COMMON_WORDS),
        "most": COUNTED_ROWS,
        "unsampled": UNSAMPLED_ROWS,
        "sampled": SAMPLED_ROWS,
    }
    rows = connection.execute(query("query_words"), asked).fetchall()
    words = [Word(row["lexeme"], row["common"], frequency(row["found"], row["sampled"])) for row in rows]
    return choose_words(words, rows[0]["chunks"] if rows else 0)


def _numbered(
    connection: Connection[Row], query_text: str, choice: WordChoice, limit: int, documents: Documents
) -> dict[ChunkId, int]:
    if not HAS_NUMBER.search(query_text):
        return {}
    names = {
        "query": query_text,
        "ranked": _any_of(choice.ranked),
        "few": FEW_NUMBERED_ROWS,
        "most": RANKED_ROWS,
        "depth": limit,
        "documents": _given(documents),
    }
    return {row["chunk_id"]: row["shared"] for row in connection.execute(query("numbered_chunks"), names)}


def _are_few(documents: Documents) -> bool:
    return documents is not None and len(documents) <= FEW_DOCUMENTS


def _given(documents: Documents) -> list[DocumentId] | None:
    return None if documents is None else list(documents)


def _any_of(lexemes: Sequence[str]) -> str:
    return " | ".join(map(_quoted, lexemes))


def _quoted(lexeme: str) -> str:
    escaped = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
