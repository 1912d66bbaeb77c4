"""What a deployment of a given size needs. Everything here is computed, from costs that were measured."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from benchmarks.capacity_model.costs import Costs

PEAK_HOUR = 1 / 8
"""The share of a day's documents that comes in its busiest hour."""
BUSY_CORES = 0.6
"""The share of cores that may be busy in that hour: beyond it, waits grow quickly."""
SEARCHES_PER_DOCUMENT, FEWEST_SEARCHES = 2, 1.0
"""In the busiest hour; but at least so many a second."""
PAGES = 3
CREDITS_PER_PAGE, USD_PER_CREDIT = 3, 1.25 / 1000
TOKENS_PER_CHUNK, USD_PER_TOKEN = 230, 0.02 / 1_000_000
DAYS = 30
WORKER_CONNECTIONS, SERVE_CONNECTIONS, DAGSTER_CONNECTIONS = 8, 8, 12
"""Per worker, per HTTP process, and of all of Dagster's processes: the most that pools open."""
PLACES_PER_WORKER = 48
"""How many documents a worker holds, at the defaults."""
GIGABYTE = 1e9


@dataclass(frozen=True, slots=True)
class Size:
    """Of a deployment that takes in so many documents a day."""

    documents_per_day: int
    peak_per_hour: float
    in_flight: float
    """Documents with providers in the busiest hour, by Little's law."""
    workers: int
    cores: int
    memory_gb: float
    connections: int
    database_gb_per_year: float
    uploads_per_minute: float
    """That the parsing provider must allow, in the busiest hour."""
    tokens_per_minute: float
    """That the embedding provider must allow."""
    usd_per_month: float
    """For both providers, at list price."""


def sizes(costs: Costs, parse_seconds: float = 15.0, embed_seconds: float = 0.5) -> Iterator[Size]:
    for documents in (1_000, 10_000, 50_000, 100_000, 240_000, 1_000_000):
        yield size_of(documents, costs, parse_seconds, embed_seconds)


def size_of(documents_per_day: int, costs: Costs, parse_seconds: float, embed_seconds: float) -> Size:
    peak = documents_per_day * PEAK_HOUR
    cpu = costs.worker_cpu + costs.database_cpu
    held = parse_seconds + costs.noticed_after + embed_seconds + cpu
    in_flight = peak / 3600 * held
    searches = max(FEWEST_SEARCHES, SEARCHES_PER_DOCUMENT * peak / 3600)
    serving = peak / 3600 * costs.intake_cpu + searches * costs.search_cpu
    busy = peak / 3600 * cpu + serving + searches * costs.search_database_cpu + costs.shared_cores
    workers = max(1, ceil(in_flight / (0.8 * PLACES_PER_WORKER)), ceil(peak / 3600 * costs.worker_cpu / 0.8))
    cores = max(2, ceil(busy / BUSY_CORES))
    serves = max(1, ceil(serving / BUSY_CORES))
    megabytes = workers * costs.worker_mb + serves * costs.serve_mb + costs.shared_mb + 1_024 * max(1.0, cores / 4)
    return Size(
        documents_per_day=documents_per_day,
        peak_per_hour=peak,
        in_flight=in_flight,
        workers=workers,
        cores=cores,
        memory_gb=megabytes / 1_024,
        connections=workers * WORKER_CONNECTIONS + serves * SERVE_CONNECTIONS + DAGSTER_CONNECTIONS,
        database_gb_per_year=365 * documents_per_day * costs.bytes_per_document / GIGABYTE,
        uploads_per_minute=peak / 60,
        tokens_per_minute=peak / 60 * costs.chunks * TOKENS_PER_CHUNK,
        usd_per_month=DAYS * documents_per_day * usd_per_document(costs),
    )


def usd_per_document(costs: Costs) -> float:
    return PAGES * CREDITS_PER_PAGE * USD_PER_CREDIT + costs.chunks * TOKENS_PER_CHUNK * USD_PER_TOKEN
