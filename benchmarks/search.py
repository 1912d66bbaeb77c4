"""Searches under row filters: users that own all, half, a tenth, a hundredth and a thousandth of the chunks.

The table is filled by COPY and its vector index built in bulk. The vectors' search and the whole hybrid search are
timed in a warm process. Exact search compares with every row of the user: the floor of the time, and the truth.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from statistics import quantiles
from typing import Any
from uuid import uuid4

from benchmarks.chunk_rows import COLUMNS, Maker, make_bare_table, markdown_document
from benchmarks.deployments import Home, fresh_home
from benchmarks.documents import write_documents
from benchmarks.figures import Figures
from benchmarks.queue_state import is_indexed
from benchmarks.recall import NEAREST, exact_search, nearest_search, queries_from_text, recall
from benchmarks.sizes import Sizes
from ingest_assets.domain.documents.document import Document, UserId, Vectors
from ingest_assets.domain.documents.metadata import Condition, Operator

SHARES = (0.5, 0.1, 0.01, 0.001)
"""Of the chunks; a user of no interest owns the rest."""
FILTERED_SHARE = 0.01
"""The one that `search_p95_ms` and `search_filtered_recall` are of, at the largest size."""
CHUNKS_PER_DOCUMENT = 14
OFFICES = 4
"""Each document's metadata names one of so many; searches with a filter want those of one."""
WHERE = (Condition("office", Operator.EQUAL, "0"),)
EXACT_SECONDS = 10.0
"""For the truth of one user: fewer queries are compared where each takes long."""

SAVE_DOCUMENT = """INSERT INTO upload_pipeline.documents
    (document_id, user_id, version, live_version, filename, media_type, byte_size, content_sha, metadata)
VALUES (%(document_id)s, %(user_id)s, 1, 1, %(filename)s, %(media_type)s, %(byte_size)s, %(content_sha)s,
    jsonb_build_object('office', %(office)s::text))"""

TAKE_ROWS = f"""INSERT INTO upload_pipeline.document_chunks ({", ".join(COLUMNS)}, full_text)
SELECT {", ".join(COLUMNS)}, full_text FROM upload_pipeline.bare"""  # noqa: S608  names of our own


def measure(sizes: Sizes) -> Iterator[Figures]:
    largest = max(sizes.search_chunks)
    for chunks in sizes.search_chunks:
        for shares in (SHARES, (1.0,)):
            with fresh_home() as home:
                users = _fill(home, chunks, shares)
                for _ in range(sizes.repetitions):
                    for share, user_id in users.items():
                        figures = _searches(home, user_id, sizes.queries)
                        yield {f"search_{chunks}_{share:g}_{name}": figure for name, figure in figures.items()}
                        if chunks == largest and share == FILTERED_SHARE:
                            yield _headline(figures)


def _headline(figures: Figures) -> Figures:
    return {
        "search_p95_ms": figures["hybrid_p95_ms"],
        "search_floor_ms": figures["exact_p50_ms"],
        "search_round_trip_ms": figures["round_trip_p50_ms"],
        "search_filtered_recall": figures["recall"],
        **{f"search_{name}": figures[name] for name in ("where_p95_ms", "where_recall") if name in figures},
    }


def _fill(home: Home, chunks: int, shares: Sequence[float]) -> dict[float, UserId]:
    """The user of each share."""
    users = {share: UserId(uuid4()) for share in shares}
    maker, made = Maker(), 0
    paths = write_documents(home.folder / "documents", chunks // CHUNKS_PER_DOCUMENT)
    owners = _owners(users, len(paths))
    make_bare_table(home.database)
    for path, owner in zip(paths, owners, strict=True):
        if made >= chunks:
            break
        document = markdown_document(path, owner)
        rows, vectors = maker.make(document, path.read_bytes())
        home.database.execute(SAVE_DOCUMENT, _document_row(document))
        maker.copy(home.database, document, rows, vectors)
        made += len(rows)
    home.database.execute(TAKE_ROWS.encode())
    home.database.execute("DROP TABLE upload_pipeline.bare")
    _index(home)
    return users


def _owners(users: dict[float, UserId], documents: int) -> list[UserId]:
    owners = [user_id for share, user_id in users.items() for _ in range(max(1, round(share * documents)))]
    owners += [UserId(uuid4())] * (documents - len(owners))
    random.Random(3).shuffle(owners)
    return owners[:documents]


def _document_row(document: Document) -> dict[str, Any]:
    names = ("document_id", "user_id", "filename", "media_type", "byte_size", "content_sha")
    office = str(document.document_id.int % OFFICES)
    return {name: getattr(document, name) for name in names} | {"office": office}


def _index(home: Home) -> None:
    """As the deployment does it after a load, by its own policy."""
    home.ingest("drain")
    assert is_indexed(home)
    home.database.execute("VACUUM ANALYZE upload_pipeline.document_chunks")


def _searches(home: Home, user_id: UserId, count: int) -> Figures:
    deployment = home.deployment
    queries = queries_from_text(home, user_id, count)
    vectors = [deployment.embedder.embed_query(query, user_id) for query in queries]
    nearest, exact = nearest_search(home, user_id), exact_search(home, user_id)

    def hybrid(query: str) -> object:
        return deployment.search.passages(user_id, query, NEAREST)

    found, near = _timed(nearest, vectors)
    truth, compared = _timed(exact, vectors, EXACT_SECONDS)
    return {
        "recall": recall(found[: len(truth)], truth),
        **_quantiles("nearest", near),
        **_quantiles("hybrid", _timed(hybrid, queries)[1]),
        **_quantiles("exact", compared),
        **_searches_where(home, user_id, queries, vectors),
        **_quantiles("round_trip", _timed(lambda _: home.rows("SELECT 1 AS one"), queries)[1]),
    }


def _searches_where(home: Home, user_id: UserId, queries: Sequence[str], vectors: Sequence[Vectors]) -> Figures:
    """Of one office; the user may have no document there."""
    deployment = home.deployment
    documents = deployment.search_index.documents_that_meet(user_id, WHERE)
    if not documents:
        return {}

    def hybrid(query: str) -> object:
        return deployment.search.passages(user_id, query, NEAREST, WHERE)

    truth, _ = _timed(exact_search(home, user_id, documents), vectors, EXACT_SECONDS)
    found, _ = _timed(nearest_search(home, user_id, documents), vectors[: len(truth)])
    return {"where_recall": recall(found, truth), **_quantiles("where", _timed(hybrid, queries)[1])}


def _timed(
    function: Callable[[Any], Any], arguments: Sequence[Any], seconds: float = float("inf")
) -> tuple[list[Any], list[float]]:
    """Results and seconds of each call, after one that warms up; no more calls than begin within `seconds`."""
    function(arguments[0])
    results: list[Any] = []
    times: list[float] = []
    for argument in arguments:
        if sum(times) > seconds:
            break
        begun = time.perf_counter()
        results.append(function(argument))
        times.append(time.perf_counter() - begun)
    return results, times


def _quantiles(name: str, seconds: Sequence[float]) -> Figures:
    cuts = quantiles(seconds, n=20, method="inclusive")
    return {f"{name}_p50_ms": 1000 * cuts[9], f"{name}_p95_ms": 1000 * cuts[18]}
