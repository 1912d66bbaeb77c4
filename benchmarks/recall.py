"""How many of the truly nearest passages a search finds."""

import random
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any, LiteralString

from benchmarks.deployments import Home
from ingest_assets.domain.documents.document import UserId, Vectors
from ingest_assets.pipeline.ports.searching import Documents

NEAREST = 10
WORDS = 6

SAMPLE: LiteralString = """SELECT text FROM upload_pipeline.document_chunks WHERE user_id = %(user_id)s
ORDER BY md5(chunk_id::text) LIMIT %(limit)s"""

EXACT: LiteralString = """WITH filtered AS MATERIALIZED (
    SELECT chunk_id, embedding, title, chunk_ord FROM upload_pipeline.document_chunks
    WHERE user_id = %(user_id)s AND (%(documents)s::uuid[] IS NULL OR document_id = ANY(%(documents)s))
)
SELECT chunk_id FROM filtered ORDER BY embedding <=> %(vector)s, title, chunk_ord LIMIT %(limit)s"""
"""Compares with every row of the user, or of some documents."""

Search = Callable[[Vectors], Sequence[Any]]


def queries_from_text(home: Home, user_id: UserId, count: int) -> list[str]:
    """Six words in a row from each of `count` passages of the user, some of them twice where there are fewer."""
    texts = [row["text"] for row in home.rows(SAMPLE, user_id=user_id, limit=count)]
    chance = random.Random(11)
    return [_excerpt(texts[number % len(texts)].split(), chance) for number in range(count)]


def exact_search(home: Home, user_id: UserId, documents: Documents = None) -> Search:
    names = {"user_id": user_id, "documents": documents, "limit": NEAREST}

    def search(vector: Vectors) -> list[Any]:
        return [row["chunk_id"] for row in home.rows(EXACT, vector=vector, **names)]

    return search


def nearest_search(home: Home, user_id: UserId, documents: Documents = None) -> Search:
    """The deployment's own, through its adapter."""
    deployment = home.deployment

    def search(vector: Vectors) -> Sequence[Any]:
        return deployment.search_index.nearest(user_id, vector, deployment.embedder.model, NEAREST, documents)

    return search


def recall(found: Sequence[Sequence[Any]], exact: Sequence[Sequence[Any]]) -> float:
    """The mean share of the exact answers that were found."""
    return fmean(len(set(some) & set(all_)) / len(all_) for some, all_ in zip(found, exact, strict=True))


def _excerpt(words: list[str], chance: random.Random) -> str:
    first = chance.randint(0, max(0, len(words) - WORDS))
    return " ".join(words[first : first + WORDS])
