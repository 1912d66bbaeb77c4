"""What operators may measure: each metric with its name, its labels and what it means. A page is made of it.

Labels have few values, all of them names that this system or its operator gives: stages, states, error codes,
providers, models. None is a user, a document or anything that comes with one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

OTHER = "other"
"""Stands for an error code that the catalogue no longer has."""
SUM = "sum"
"""In place of a bound: the sum of all observations."""
INFINITE = "+Inf"


class Kind(StrEnum):
    GAUGE = "gauge"
    """What is now; it rises and falls."""
    COUNTER = "counter"
    """What has happened since counting began; it only rises."""
    HISTOGRAM = "histogram"
    """How many observations were at most so large."""


@dataclass(frozen=True, slots=True)
class Metric:
    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    """The upper bounds of a histogram's buckets, rising; above the last one there is one more bucket."""

    @property
    def bound_names(self) -> tuple[str, ...]:
        return (*map(str, self.bounds), INFINITE)


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric."""

    metric: Metric
    labels: tuple[str, ...]
    value: float
    bound: str | None = None
    """Of a histogram: the bucket of the value, which counts what no lower bucket counts, or SUM."""


STEP_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
CALL_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)
WAY_SECONDS = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 21600.0, 86400.0)


def _gauge(name: str, text: str, *labels: str) -> Metric:
    return Metric(f"ingest_{name}", Kind.GAUGE, text, labels)


def _counter(name: str, text: str, *labels: str) -> Metric:
    return Metric(f"ingest_{name}_total", Kind.COUNTER, text, labels)


def _histogram(name: str, text: str, bounds: tuple[float, ...], *labels: str) -> Metric:
    return Metric(f"ingest_{name}_seconds", Kind.HISTOGRAM, text, labels, bounds)


DATABASE_UP = _gauge(
    "database_up", "1 if Postgres answered this scrape, 0 if not; the queue's metrics are then missing."
)
SCRAPE_SECONDS = _gauge("scrape_seconds", "How long it took to collect all metrics.")
HISTORY_BEHIND = _gauge(
    "history_behind_events", "Events that no counter counts yet; the next scrapes make up for them."
)

JOBS = _gauge(
    "jobs", "Documents by stage and state; those that are done are estimated if they are many.", "stage", "state"
)
OLDEST = _gauge("oldest_job_age_seconds", "How long ago the oldest unfinished document at a stage was queued.", "stage")
CLAIMABLE = _gauge("claimable_jobs", "Documents that a worker could take now: not of a paused user.")
PAUSES = _gauge("pauses", "What people have paused: everything, users or providers.", "kind")
DEAD_LETTERS = _gauge(
    "dead_letters", "Documents that are not tried again until somebody replays them, by cause.", "code"
)
RETRYABLE = _gauge("retryable_jobs", "Documents that wait for a retry, by cause.", "code")

QUEUED_TOTAL = _counter(
    "documents_queued", "Times that a document was queued: a new version, a replay, a refresh or given back."
)
FINISHED_TOTAL = _counter("documents_finished", "Times that a document's newest version became searchable.")
FAILURES_TOTAL = _counter(
    "failures",
    "Attempts that ended in an error, by stage, code and kind; those of the kinds resource and outage only wait.",
    *("stage", "code", "kind"),
)
RETRIES_TOTAL = _counter("retries", "Failed attempts after which the document waits for a retry, by cause.", "code")
DEAD_LETTERS_TOTAL = _counter("dead_letters", "Times that a document became a dead letter, by cause.", "code")
WAY = _histogram("document", "From being queued to being searchable.", WAY_SECONDS)
STEP = _histogram("stage", "How long it took to leave a stage with a result.", STEP_SECONDS, "stage")

CALLS_TOTAL = _counter(
    "provider_calls", "Calls of a provider that have ended, by how they ended.", "provider", "outcome"
)
CALL = _histogram(
    "provider_call", "From a call's reservation to its end, with the wait for its turn.", CALL_SECONDS, "provider"
)
TOKENS_TOTAL = _counter("provider_tokens", "Tokens that a provider has charged for.", "provider")
PAGES_TOTAL = _counter("provider_pages", "Pages that a provider has charged for.", "provider")
CREDITS_TOTAL = _counter("provider_credits", "Credits that a provider has charged.", "provider")
COST_TOTAL = _counter("provider_cost_usd", "What a provider's ended calls have cost, in US dollars.", "provider")
UNDER_WAY = _gauge("provider_calls_under_way", "Calls of a provider that have not ended.", "provider")
BREAKER = _gauge(
    "provider_breaker_open", "1 from when the provider kept failing until a call of it succeeds.", "provider"
)
BUDGET_SPENT = _gauge("budget_spent_usd", "What is spent or reserved of today's budget (UTC), in US dollars.")
BUDGET_LIMIT = _gauge("budget_limit_usd", "INGEST_BUDGET_USD_PER_DAY; missing if it is not set.")

WORKERS = _gauge("workers", "Workers that hold documents under a lease that has not expired.")
LEASES = _gauge("leases", "Documents that workers hold, by whether the lease is alive or expired.", "state")
INSTANCES = _gauge("instances", "Deployments on this database whose lease has not expired.")
DRAIN_RUNS = _gauge("drain_runs", "Drain runs that these deployments have noted.")

CHUNKS = _gauge("chunks", "Searchable chunks, as Postgres estimates them.")
INDEX_BYTES = _gauge("index_bytes", "The size of the searchable chunks and each of their indexes.", "relation")
DATABASE_BYTES = _gauge("database_bytes", "The size of the database.")
RECALL = _gauge(
    "index_recall_ratio", "The share of the nearest chunks that searches found when it was last measured.", "model"
)
RECALL_AGE = _gauge("index_recall_age_seconds", "How long ago that was.", "model")

DAGSTER_UP = _gauge("dagster_database_up", "1 if Dagster's database answered this scrape, 0 if not.")
HEARTBEAT_AGE = _gauge(
    "daemon_heartbeat_age_seconds", "How long ago each part of Dagster's daemon left a heartbeat.", "daemon"
)
SENSOR_ON = _gauge("sensor_on", "1 if the sensor or schedule is on, 0 if somebody has stopped it.", "sensor")
TICK_AGE = _gauge("sensor_tick_age_seconds", "How long ago the sensor or schedule last ticked.", "sensor")

POOL_CONNECTIONS = _gauge(
    "pool_connections", "This process's connections to Postgres, by whether they are used.", "state"
)
POOL_LIMIT = _gauge("pool_connections_limit", "The most connections to Postgres that this process may open.")
POOL_WAITING = _gauge("pool_waiting", "Requests of this process that wait for a connection.")
POOL_ERRORS_TOTAL = _counter("pool_connection_errors", "Connections to Postgres that this process could not open.")

DISK_FREE = _gauge("disk_free_bytes", "Free space where the home or the stored documents are.", "folder")
DISK_SIZE = _gauge("disk_size_bytes", "All space where the home or the stored documents are.", "folder")
MEMORY_AVAILABLE = _gauge("host_memory_available_bytes", "Memory that this host or container can still give.")
MEMORY_SIZE = _gauge("host_memory_size_bytes", "The memory of this host or container.")
CPU_LOAD = _gauge("host_load_ratio", "Processes that want to run, over five minutes, for each core.")

FACTS_TOTAL = _counter("facts", "What this process has told its observer, by kind of fact.", "fact")
PASSED_OVER_TOTAL = _counter(
    "errors_passed_over", "Errors of this process that its work does not depend on, by code.", "code"
)
REQUESTS_TOTAL = _counter("http_requests", "Requests that this process has answered, by class of status.", "status")

METRICS: tuple[Metric, ...] = tuple(each for each in list(globals().values()) if isinstance(each, Metric))
BY_NAME = {metric.name: metric for metric in METRICS}


def added_up(samples: Iterable[Sample]) -> list[Sample]:
    """Return the samples, those with equal labels as one."""
    found: dict[tuple[str, tuple[str, ...], str | None], Sample] = {}
    for sample in samples:
        key = (sample.metric.name, sample.labels, sample.bound)
        known = found.get(key)
        found[key] = sample if known is None else replace(known, value=known.value + sample.value)
    return list(found.values())
