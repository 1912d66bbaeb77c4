"""What the dashboards for Grafana show: each panel with its queries.

Every instance of `ingest serve` tells the same of the queue, so queries take `max` over instances. `RATE` stands for
the window of rates, `RANGE` for the time that the reader looks at.
"""

from dataclasses import dataclass
from enum import StrEnum

RATE = "$__rate_interval"
RANGE = "$__range"


class Shape(StrEnum):
    FIGURE = "figure"
    """The newest value, large."""
    LINES = "lines"
    AREAS = "areas"
    """Lines on top of each other."""


@dataclass(frozen=True, slots=True)
class Query:
    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    title: str
    about: str
    unit: str
    """As Grafana names it."""
    queries: tuple[Query, ...]
    shape: Shape = Shape.LINES
    may_be_empty: bool = False
    """Whether a deployment on which all is well may have no series: no budget, no provider, no failure."""


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    name: str
    about: str
    looks_back: str
    """From when on it shows, unless the reader wants another time."""
    rows: tuple[Row, ...]


def _most(metric: str, *labels: str, by: str = "") -> str:
    """Return the value of any instance, for each value of the labels in `by`."""
    selected = f"{metric}{{{','.join(labels)}}}" if labels else metric
    return f"max by ({by}) ({selected})" if by else f"max({selected})"


def _figure(title: str, about: str, unit: str, expression: str, *, may_be_empty: bool = False) -> Panel:
    return Panel(title, about, unit, (Query(expression),), Shape.FIGURE, may_be_empty)


def _quantiles(metric: str, *by: str) -> tuple[Query, ...]:
    labels = ", ".join((*by, "le"))
    told = "".join(f"{{{{{label}}}}} " for label in by)
    return tuple(
        Query(f"histogram_quantile({share}, max by ({labels}) (rate({metric}_bucket[{RATE}])))", f"{told}{name}")
        for share, name in ((0.5, "half within"), (0.95, "95 % within"))
    )


WAITING = _most("ingest_claimable_jobs")
AT_WORK = _most("ingest_leases", 'state="alive"')
UNFINISHED = _most("ingest_jobs", 'state!="done"', by="stage, state")
DEAD = _most("ingest_dead_letters", by="code")

OPERATIONS = Dashboard(
    "operations",
    "Whether documents flow, what waits, what fails, and how full everything is.",
    "now-6h",
    (
        Row(
            "Health",
            (
                _figure("Waiting", "Documents that a worker could take now.", "short", WAITING),
                _figure("At work", "Documents under a live lease.", "short", AT_WORK),
                _figure("Workers", "Workers with live leases.", "short", _most("ingest_workers")),
                _figure(
                    "Dead letters",
                    "Documents that are not tried again until somebody replays them.",
                    "short",
                    f"sum({DEAD}) or vector(0)",
                ),
                _figure("Database", "1 if Postgres answers.", "bool_on_off", "min(ingest_database_up)"),
                _figure(
                    "Dagster's database",
                    "1 if Dagster's database answers.",
                    "bool_on_off",
                    "min(ingest_dagster_database_up)",
                ),
                _figure(
                    "Daemon last heard of",
                    "The age of the newest heartbeat of Dagster's daemon.",
                    "s",
                    "min(ingest_daemon_heartbeat_age_seconds)",
                    may_be_empty=True,
                ),
                _figure(
                    "Backlog done in",
                    "What waits and is at work, at the rate of the last 15 minutes. The page at /ops predicts it "
                    "by type and size.",
                    "s",
                    f"({WAITING} + {AT_WORK}) / (max(rate(ingest_documents_finished_total[15m])) > 0)",
                    may_be_empty=True,
                ),
            ),
        ),
        Row(
            "Flow",
            (
                Panel(
                    "Throughput",
                    "Documents a minute.",
                    "short",
                    (
                        Query(f"60 * max(rate(ingest_documents_finished_total[{RATE}]))", "searchable"),
                        Query(f"60 * max(rate(ingest_documents_queued_total[{RATE}]))", "queued"),
                    ),
                ),
                Panel(
                    "Queue per stage",
                    "Unfinished documents and dead letters by stage.",
                    "short",
                    (Query(f"sum by (stage) ({UNFINISHED})", "{{stage}}"),),
                    Shape.AREAS,
                ),
                Panel(
                    "Oldest document per stage",
                    "How long ago the oldest unfinished document at a stage was queued.",
                    "s",
                    (Query(_most("ingest_oldest_job_age_seconds", by="stage"), "{{stage}}"),),
                    may_be_empty=True,
                ),
            ),
        ),
        Row(
            "Errors",
            (
                Panel(
                    "Errors a minute",
                    "Attempts that ended in an error, by code.",
                    "short",
                    (
                        Query(
                            f"60 * sum by (code) (max by (stage, code, kind) (rate(ingest_failures_total[{RATE}])))",
                            "{{code}}",
                        ),
                    ),
                    Shape.AREAS,
                    may_be_empty=True,
                ),
                Panel(
                    "Not done, by cause",
                    "Dead letters, and documents that wait for a retry.",
                    "short",
                    (
                        Query(DEAD, "{{code}}, dead letters"),
                        Query(_most("ingest_retryable_jobs", by="code"), "{{code}}, waiting for a retry"),
                    ),
                    may_be_empty=True,
                ),
            ),
        ),
        Row(
            "Providers",
            (
                Panel(
                    "Calls a minute",
                    "Calls that have ended, by how.",
                    "short",
                    (
                        Query(
                            f"60 * max by (provider, outcome) (rate(ingest_provider_calls_total[{RATE}]))",
                            "{{provider}} {{outcome}}",
                        ),
                    ),
                    may_be_empty=True,
                ),
                Panel(
                    "Breakers",
                    "1 while a provider is left alone because it keeps failing.",
                    "short",
                    (Query(_most("ingest_provider_breaker_open", by="provider"), "{{provider}}"),),
                ),
                Panel(
                    "Calls under way",
                    "Calls that have not ended.",
                    "short",
                    (Query(_most("ingest_provider_calls_under_way", by="provider"), "{{provider}}"),),
                ),
            ),
        ),
        Row(
            "Capacity",
            (
                Panel(
                    "Disks used",
                    "Where the home and the stored documents are.",
                    "percentunit",
                    (
                        Query(
                            "1 - min by (instance, folder) (ingest_disk_free_bytes) "
                            "/ min by (instance, folder) (ingest_disk_size_bytes)",
                            "{{instance}} {{folder}}",
                        ),
                    ),
                ),
                Panel(
                    "Memory and load of the hosts",
                    "Memory that is used, and processes that want to run for each core.",
                    "percentunit",
                    (
                        Query(
                            "1 - ingest_host_memory_available_bytes / ingest_host_memory_size_bytes",
                            "{{instance}} memory",
                        ),
                        Query("ingest_host_load_ratio", "{{instance}} load"),
                    ),
                ),
                Panel(
                    "Connections used",
                    "Of each service, as a share of the most that it may open.",
                    "percentunit",
                    (
                        Query(
                            'sum by (instance) (ingest_pool_connections{state="used"}) '
                            "/ sum by (instance) (ingest_pool_connections_limit)",
                            "{{instance}}",
                        ),
                    ),
                ),
                Panel(
                    "Database",
                    "The size of the database, and of the searchable chunks with each of their indexes.",
                    "bytes",
                    (
                        Query(_most("ingest_database_bytes"), "database"),
                        Query(_most("ingest_index_bytes", by="relation"), "{{relation}}"),
                    ),
                ),
                Panel(
                    "Recall of the index",
                    "The share of the nearest chunks that searches found when it was last measured.",
                    "percentunit",
                    (Query("min by (model) (ingest_index_recall_ratio)", "{{model}}"),),
                    may_be_empty=True,
                ),
                _figure(
                    "Budget of today",
                    "What is spent or reserved, of INGEST_BUDGET_USD_PER_DAY.",
                    "percentunit",
                    f"{_most('ingest_budget_spent_usd')} / {_most('ingest_budget_limit_usd')}",
                    may_be_empty=True,
                ),
            ),
        ),
    ),
)

CALLS = f"max by (provider, outcome) (rate(ingest_provider_calls_total[{RATE}]))"
FAILED_CALLS = f'max by (provider, outcome) (rate(ingest_provider_calls_total{{outcome!="succeeded"}}[{RATE}]))'
FAILED = f"sum(max by (code) (increase(ingest_dead_letters_total[{RANGE}])))"
FINISHED = f"max(increase(ingest_documents_finished_total[{RANGE}]))"

BUSINESS = Dashboard(
    "business",
    "What was made searchable, how fast, and at what cost. How many users there are says the page at /ops.",
    "now-30d",
    (
        Row(
            "Service",
            (
                _figure(
                    "Success rate",
                    "Of the documents that became searchable or dead letters in this time.",
                    "percentunit",
                    f"{FINISHED} / ({FINISHED} + ({FAILED} or vector(0)))",
                ),
                _figure(
                    "Searchable within 10 min (SLA)",
                    "Of the documents that became searchable in this time. The page at /ops also counts others.",
                    "percentunit",
                    f'max(increase(ingest_document_seconds_bucket{{le="600.0"}}[{RANGE}])) '
                    f"/ max(increase(ingest_document_seconds_count[{RANGE}]))",
                ),
                *(
                    _figure(
                        f"Documents in a {name}",
                        f"Times that a document became searchable in the last {name}.",
                        "short",
                        f"max(increase(ingest_documents_finished_total[{span}]))",
                    )
                    for name, span in (("day", "1d"), ("week", "7d"), ("month", "30d"))
                ),
            ),
        ),
        Row(
            "Documents",
            (
                Panel(
                    "Documents a day",
                    "Times that a document became searchable in the day before.",
                    "short",
                    (Query("max(increase(ingest_documents_finished_total[1d]))", "searchable"),),
                ),
                Panel(
                    "Growth",
                    "Searchable documents and chunks, as Postgres estimates them.",
                    "short",
                    (
                        Query(_most("ingest_jobs", 'state="done"'), "documents"),
                        Query(_most("ingest_chunks"), "chunks"),
                    ),
                ),
                Panel(
                    "From queued to searchable",
                    "How long documents took.",
                    "s",
                    _quantiles("ingest_document_seconds"),
                ),
            ),
        ),
        Row(
            "Costs",
            (
                _figure(
                    "Month at the rate of this week",
                    "Thirty days at the mean of the last seven. The page at /ops predicts the month and says how wrong "
                    "such predictions have been.",
                    "currencyUSD",
                    "30 / 7 * sum(max by (provider) (increase(ingest_provider_cost_usd_total[7d])))",
                    may_be_empty=True,
                ),
                Panel(
                    "Costs a day",
                    "What providers' calls cost in the day before.",
                    "currencyUSD",
                    (Query("max by (provider) (increase(ingest_provider_cost_usd_total[1d]))", "{{provider}}"),),
                    Shape.AREAS,
                    may_be_empty=True,
                ),
                Panel(
                    "Budget of the day",
                    "What is spent or reserved of today's budget (UTC).",
                    "currencyUSD",
                    (
                        Query(_most("ingest_budget_spent_usd"), "spent or reserved"),
                        Query(_most("ingest_budget_limit_usd"), "budget"),
                    ),
                ),
                Panel(
                    "Tokens and pages a day",
                    "What providers have charged for in the day before.",
                    "short",
                    (
                        Query("max by (provider) (increase(ingest_provider_tokens_total[1d]))", "{{provider}} tokens"),
                        Query("max by (provider) (increase(ingest_provider_pages_total[1d]))", "{{provider}} pages"),
                    ),
                    may_be_empty=True,
                ),
            ),
        ),
    ),
)

DEBUGGING = Dashboard(
    "debugging",
    "What fails, where, and where the time goes.",
    "now-6h",
    (
        Row(
            "Errors",
            (
                Panel(
                    "Errors by code and stage",
                    "Attempts that ended in an error, in this time.",
                    "short",
                    (
                        Query(
                            f"max by (stage, code, kind) (increase(ingest_failures_total[{RANGE}]))",
                            "{{code}} at {{stage}} ({{kind}})",
                        ),
                    ),
                    may_be_empty=True,
                ),
                Panel(
                    "Retries a minute",
                    "Failed attempts after which the document waits for a retry, by code.",
                    "short",
                    (Query(f"60 * max by (code) (rate(ingest_retries_total[{RATE}]))", "{{code}}"),),
                    may_be_empty=True,
                ),
                Panel(
                    "New dead letters a minute",
                    "Times that a document became a dead letter, by code.",
                    "short",
                    (Query(f"60 * max by (code) (rate(ingest_dead_letters_total[{RATE}]))", "{{code}}"),),
                    may_be_empty=True,
                ),
                Panel(
                    "Errors passed over",
                    "Errors of services that their work does not depend on, by code.",
                    "short",
                    (Query(f"60 * sum by (code) (rate(ingest_errors_passed_over_total[{RATE}]))", "{{code}}"),),
                    may_be_empty=True,
                ),
            ),
        ),
        Row(
            "Where the time goes",
            (
                Panel(
                    "Time per stage",
                    "Seconds that documents spend at each stage, in a second.",
                    "s",
                    (Query(f"max by (stage) (rate(ingest_stage_seconds_sum[{RATE}]))", "{{stage}}"),),
                    Shape.AREAS,
                ),
                Panel(
                    "Mean time at a stage",
                    "How long it took to leave a stage with a result.",
                    "s",
                    (
                        Query(
                            f"max by (stage) (rate(ingest_stage_seconds_sum[{RATE}])) "
                            f"/ max by (stage) (rate(ingest_stage_seconds_count[{RATE}]))",
                            "{{stage}}",
                        ),
                    ),
                ),
                Panel(
                    "Slow documents per stage",
                    "By the histogram's bounds.",
                    "s",
                    _quantiles("ingest_stage_seconds", "stage")[1:],
                ),
                Panel(
                    "From queued to searchable", "How long documents took.", "s", _quantiles("ingest_document_seconds")
                ),
            ),
        ),
        Row(
            "Providers",
            (
                Panel(
                    "Provider times",
                    "From a call's reservation to its end, with the wait for its turn.",
                    "s",
                    _quantiles("ingest_provider_call_seconds", "provider"),
                    may_be_empty=True,
                ),
                Panel(
                    "Calls that failed",
                    "As a share of all that have ended.",
                    "percentunit",
                    (
                        Query(
                            f"sum by (provider) ({FAILED_CALLS}) / sum by (provider) ({CALLS})",
                            "{{provider}}",
                        ),
                    ),
                    may_be_empty=True,
                ),
            ),
        ),
        Row(
            "The services themselves",
            (
                Panel(
                    "Requests a second",
                    "Answers by class of status.",
                    "reqps",
                    (Query(f"sum by (status) (rate(ingest_http_requests_total[{RATE}]))", "{{status}}"),),
                ),
                Panel(
                    "Requests that wait for a connection",
                    "In each service.",
                    "short",
                    (Query("ingest_pool_waiting", "{{instance}}"),),
                ),
                Panel(
                    "How long a scrape takes",
                    "In each service.",
                    "s",
                    (Query("ingest_scrape_seconds", "{{instance}}"),),
                ),
                Panel(
                    "Events that no counter counts yet",
                    "The next scrapes make up for them.",
                    "short",
                    (Query(_most("ingest_history_behind_events"), "events"),),
                ),
            ),
        ),
    ),
)

DASHBOARDS = (OPERATIONS, BUSINESS, DEBUGGING)
