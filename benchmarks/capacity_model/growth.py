"""Ten million documents, and several regions: which part meets its limit first, at which number."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.capacity_model.costs import Costs
from benchmarks.capacity_model.sizing import (
    CREDITS_PER_PAGE,
    GIGABYTE,
    PAGES,
    PLACES_PER_WORKER,
    TOKENS_PER_CHUNK,
    USD_PER_CREDIT,
)

EXACT_CHUNKS = 200_000
"""Of one user: up to so many, all of the user's bits are compared (domain/search/index_policy.py)."""
BUILD_MS = 0.3
"""Per row of bits in a build in bulk (the same module, measured)."""
BITS_BYTES = 576
"""Of one row of bits."""
GRAPH_BYTES = BITS_BYTES + 300
"""Per row in the graph; of its links, 300 were measured: 4.9 MB for 10,000 rows with 192 bytes of bits each."""
PARTITIONS_KEPT, PARTITIONS_CEILING = 50_000, 100_000
"""What Dagster lists by default, and what its documentation names as the most."""
BUILD_MEMORY_GB = 64.0
"""Of a large database server for one index build (maintenance_work_mem)."""
SHARED_BUFFERS_GB = 64.0
DISK_TB = 16.0
"""Of one volume, as clouds sell them."""
FREEZE_AGE = 200_000_000
"""Transactions after which autovacuum reads whole tables again (autovacuum_freeze_max_age)."""
TRANSACTIONS_PER_DOCUMENT = 12.0
TOKENS_PER_MINUTE = 1_000_000
"""OpenAI's limit of the lowest paid tier for text-embedding-3-small, as it was when this was written."""
ROUND_TRIPS = 30
"""Of one document with the database, in its worker."""
SECONDS_BETWEEN_REGIONS = 0.09


@dataclass(frozen=True, slots=True)
class Limit:
    what: str
    documents: float
    """At how many stored documents, or per hour, the limit is met."""
    unit: str
    how: str
    """What the number is made of."""
    plan: str


def limits_met(costs: Costs) -> list[Limit]:
    """Return them, in the order in which a growing deployment meets them."""
    stored = sorted(_stored(costs), key=lambda limit: limit.documents)
    return stored + sorted(_per_hour(costs), key=lambda limit: limit.documents)


def _stored(costs: Costs) -> Iterator[Limit]:
    yield Limit(
        "documents of one user that a search compares one by one",
        EXACT_CHUNKS / costs.chunks,
        "of one user",
        f"{EXACT_CHUNKS:,} chunks; beyond, the graph (HNSW) is used, whose recall falls",
        "keep users (tenants) smaller than this; partition `document_chunks` by user for those who are not",
    )
    yield Limit(
        "partitions that Dagster lists",
        PARTITIONS_CEILING,
        "listed",
        f"{PARTITIONS_CEILING:,} are documented as the most; {PARTITIONS_KEPT:,} are kept",
        "none needed: only a working set is listed, however many documents there are",
    )
    yield Limit(
        "bits of all chunks in the database's memory",
        SHARED_BUFFERS_GB * GIGABYTE / (costs.chunks * BITS_BYTES),
        "stored",
        f"{BITS_BYTES} B a chunk in {SHARED_BUFFERS_GB:.0f} GB; a search reads its user's only",
        "read replicas for searches; a database per region or per group of users",
    )
    yield Limit(
        "memory to build the graph at once",
        BUILD_MEMORY_GB * GIGABYTE / (costs.chunks * GRAPH_BYTES),
        "stored",
        f"{GRAPH_BYTES} B a chunk in {BUILD_MEMORY_GB:.0f} GB; beyond, a build takes many times as long",
        "partition by user or by time, so that each part has a graph of its own",
    )
    yield Limit(
        "one volume of the database",
        DISK_TB * 1e12 / costs.bytes_per_document,
        "stored",
        f"{costs.bytes_per_document / 1000:,.0f} KB a document in {DISK_TB:.0f} TB",
        "drop old versions and history sooner; then split by region",
    )


def _per_hour(costs: Costs) -> Iterator[Limit]:
    yield Limit(
        "tokens per minute of the embedding provider",
        60 * TOKENS_PER_MINUTE / (costs.chunks * TOKENS_PER_CHUNK),
        "per hour",
        f"{TOKENS_PER_MINUTE:,} a minute at {costs.chunks * TOKENS_PER_CHUNK:,.0f} tokens a document",
        "a higher tier of the provider; `INGEST_OPENAI_TOKENS_PER_MINUTE` keeps below a limit",
    )
    yield Limit(
        "processor time of one database with 32 cores",
        32 * 0.6 * 3600 / costs.database_cpu,
        "per hour",
        f"{1000 * costs.database_cpu:.0f} ms a document, without searches; six cores of ten busy",
        "searches to a replica; then a database per region",
    )
    yield Limit(
        "freezing of old rows",
        FREEZE_AGE / TRANSACTIONS_PER_DOCUMENT / 24,
        "per hour",
        f"about {TRANSACTIONS_PER_DOCUMENT:.0f} transactions a document (assumed); a whole freeze at most once a day",
        "raise `autovacuum_freeze_max_age`; partition the history by month and drop months",
    )


def ten_million(costs: Costs) -> list[tuple[str, str]]:
    """Return what ten million documents take, as label and value."""
    documents = 10_000_000
    chunks = documents * costs.chunks
    return [
        ("chunks", f"{chunks / 1e6:,.0f} million"),
        ("rows and vectors", f"{chunks * (costs.row_bytes + costs.vector_bytes) / 1e12:.2f} TB"),
        ("indexes", f"{chunks * costs.index_bytes / 1e12:.2f} TB"),
        ("history", f"{documents * costs.history_bytes / GIGABYTE:,.0f} GB"),
        ("events in it", f"{documents * costs.events / 1e6:,.0f} million"),
        ("bits of all chunks", f"{chunks * BITS_BYTES / GIGABYTE:,.0f} GB"),
        (
            "a graph over all chunks",
            f"{chunks * GRAPH_BYTES / GIGABYTE:,.0f} GB, built in {chunks * BUILD_MS / 3.6e6:,.1f} h",
        ),
        ("log written to take them in", f"{documents * costs.log_bytes / 1e12:.1f} TB"),
        ("time to take them in at 10,000 an hour", f"{documents / 10_000 / 24:,.0f} days"),
        (
            "pages at the parsing provider",
            f"${documents * PAGES * CREDITS_PER_PAGE * USD_PER_CREDIT:,.0f} at list price",
        ),
    ]


def regions(costs: Costs, parse_seconds: float) -> list[tuple[str, str]]:
    """Return what it means to work in one region on a database in another, as label and value."""
    near = parse_seconds + costs.noticed_after + 0.5 + costs.worker_cpu
    far = near + ROUND_TRIPS * SECONDS_BETWEEN_REGIONS
    return [
        ("a document in its worker, database in the same region", f"{near:.1f} s"),
        (f"… in another, {1000 * SECONDS_BETWEEN_REGIONS:.0f} ms away, {ROUND_TRIPS} round trips", f"{far:.1f} s"),
        ("documents an hour of one worker, same region", f"{3600 * PLACES_PER_WORKER / near:,.0f}"),
        ("… another region", f"{3600 * PLACES_PER_WORKER / far:,.0f}"),
    ]
