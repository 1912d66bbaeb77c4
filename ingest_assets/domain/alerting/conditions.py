"""Every condition that is worth an alert. monitoring/alerts.yaml has the same for Prometheus, and a test compares them.

`{subject}` stands for what a condition is about, such as a provider or a stage, and `{value}` for what was measured.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Severity(StrEnum):
    CRITICAL = "critical"
    WARNING = "warning"


class Watcher(StrEnum):
    """Who can tell whether a condition holds."""

    EVERYBODY = "everybody"
    """Prometheus, and whoever reads the database."""
    PROMETHEUS = "prometheus"
    """It is about one process, or about all of them being away."""
    OURSELVES = "ourselves"
    """It names the documents' cause, which a rule does not."""


@dataclass(frozen=True, slots=True)
class Condition:
    name: str
    severity: Severity
    summary: str
    description: str
    runbook: str
    """The page and its section."""
    command: str
    """The command line with which to begin."""
    lasts: timedelta = timedelta(0)
    """How long it must hold before somebody is told."""
    watcher: Watcher = Watcher.EVERYBODY
    of_host: bool = False
    """Whether each host has its own."""


_CRITICAL, _WARNING = Severity.CRITICAL, Severity.WARNING
_FAIL = "docs/runbooks/dead-letters.md#what-to-do"
_SLOW = "docs/runbooks/slow.md#what-to-do"
_PROVIDER = "docs/runbooks/provider-outage.md#what-to-do"
_BUDGET = "docs/runbooks/budget.md#what-to-do"
_GROWS = "docs/runbooks/stuck-queue.md#what-to-do"
_NOTHING = "docs/runbooks/stuck-queue.md#what-to-do"
_AWAY = "docs/runbooks/database-away.md#what-to-do"
_SHORT = "docs/runbooks/disk-full.md#what-to-do"
_MISSED = "docs/runbooks/slow.md#what-to-do"
_FAILED, _STATUS, _DOCTOR, _COSTS = "ingest status --failed", "ingest status", "ingest doctor", "ingest costs"


def _minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


ERROR_RATE_CRITICAL = Condition(
    "IngestErrorRateCritical",
    _CRITICAL,
    "More than 5 % of all attempts at documents fail.",
    "{value} of the attempts in the last five minutes ended in an error.",
    _FAIL,
    _FAILED,
    _minutes(5),
)
ERROR_RATE_HIGH = Condition(
    "IngestErrorRateHigh",
    _WARNING,
    "More than 2 % of all attempts at documents fail.",
    "{value} of the attempts in the last ten minutes ended in an error.",
    _FAIL,
    _FAILED,
    _minutes(10),
)
DEAD_LETTERS_APPEAR = Condition(
    "IngestDeadLettersAppear",
    _WARNING,
    "Documents have become dead letters.",
    "There are {value} dead letters, more than ten minutes ago. Nothing tries them again by itself.",
    _FAIL,
    _FAILED,
)
DOCUMENTS_WAIT = Condition(
    "IngestDocumentsWait",
    _WARNING,
    "Documents wait for their retries.",
    "{value} documents wait.",
    _FAIL,
    _FAILED,
    watcher=Watcher.OURSELVES,
)
STAGE_SLOW_CRITICAL = Condition(
    "IngestStageSlowCritical",
    _CRITICAL,
    "The stage {subject} takes more than ten times as long as usual.",
    "It takes {value} on average, more than ten times the average of the day before.",
    _SLOW,
    _DOCTOR,
    _minutes(5),
)
STAGE_SLOW = Condition(
    "IngestStageSlow",
    _WARNING,
    "The stage {subject} takes more than five times as long as usual.",
    "It takes {value} on average, more than five times the average of the day before.",
    _SLOW,
    _DOCTOR,
    _minutes(10),
)
PROVIDER_SLOW_CRITICAL = Condition(
    "IngestProviderSlowCritical",
    _CRITICAL,
    "{subject} answers more than ten times as slowly as usual.",
    "A call takes {value} on average, with the wait for its turn.",
    _PROVIDER,
    _COSTS,
    _minutes(5),
)
PROVIDER_SLOW = Condition(
    "IngestProviderSlow",
    _WARNING,
    "{subject} answers more than five times as slowly as usual.",
    "A call takes {value} on average, with the wait for its turn.",
    _PROVIDER,
    _COSTS,
    _minutes(10),
)
PROVIDER_DOWN = Condition(
    "IngestProviderDown",
    _CRITICAL,
    "{subject} is down.",
    "It kept failing, and no call has succeeded since. Documents that need it wait; no attempt is counted.",
    _PROVIDER,
    _FAILED,
    _minutes(2),
)
BUDGET_SPENT = Condition(
    "IngestBudgetSpent",
    _CRITICAL,
    "A budget is spent, and documents wait for the next day.",
    "What would cost more than a budget allows waits until midnight UTC, or until the budget is raised.",
    _BUDGET,
    _COSTS,
)
BUDGET_NEARLY_SPENT = Condition(
    "IngestBudgetNearlySpent",
    _WARNING,
    "More than 80 % of today's budget is spent.",
    "{value} US dollars are spent or reserved since midnight UTC.",
    _BUDGET,
    _COSTS,
)
QUEUE_GROWS = Condition(
    "IngestQueueGrows",
    _WARNING,
    "Documents come faster than they are processed.",
    "{value} documents wait, and it has been more and more for half an hour.",
    _GROWS,
    _STATUS,
    _minutes(30),
)
NO_WORKER = Condition(
    "IngestNoWorker",
    _CRITICAL,
    "Documents wait, and no worker takes them.",
    "{value} documents could be taken, and nobody has held any for five minutes.",
    _NOTHING,
    _DOCTOR,
    _minutes(5),
)
DAEMON_SILENT = Condition(
    "IngestDaemonSilent",
    _CRITICAL,
    "Dagster's daemon is silent.",
    "It has left no heartbeat for {value}. Nothing starts runs for queued documents.",
    _NOTHING,
    _DOCTOR,
    _minutes(2),
)
SENSOR_SILENT = Condition(
    "IngestSensorSilent",
    _CRITICAL,
    "The sensor {subject} is silent.",
    "It has not ticked for {value}, although it is on.",
    _NOTHING,
    _DOCTOR,
    _minutes(2),
)
SENSOR_OFF = Condition(
    "IngestSensorOff",
    _WARNING,
    "The sensor {subject} is off.",
    "Somebody has stopped it, and nothing starts runs for queued documents.",
    _NOTHING,
    "ingest resume",
    _minutes(10),
)
SERVICE_DOWN = Condition(
    "IngestServiceDown",
    _CRITICAL,
    "{subject} does not answer Prometheus.",
    "It does not run, or does not accept the token of the metrics.",
    _AWAY,
    _DOCTOR,
    _minutes(2),
    Watcher.PROMETHEUS,
)
DATABASE_UNREACHABLE = Condition(
    "IngestDatabaseUnreachable",
    _CRITICAL,
    "Postgres does not answer {subject}.",
    "Nothing is taken in, searched or processed until it answers.",
    _AWAY,
    _DOCTOR,
    _minutes(1),
    of_host=True,
)
DAGSTER_DATABASE_UNREACHABLE = Condition(
    "IngestDagsterDatabaseUnreachable",
    _WARNING,
    "Dagster's database does not answer {subject}.",
    "Whether the daemon and the sensors are at work is unknown.",
    _AWAY,
    _DOCTOR,
    _minutes(5),
    of_host=True,
)
DISK_NEARLY_FULL = Condition(
    "IngestDiskNearlyFull",
    _WARNING,
    "The disk of {subject} is nearly full.",
    "{value} of it is used.",
    _SHORT,
    _DOCTOR,
    _minutes(15),
    of_host=True,
)
MEMORY_NEARLY_USED = Condition(
    "IngestMemoryNearlyUsed",
    _WARNING,
    "The memory of {subject} is nearly used.",
    "{value} of it is used.",
    _SHORT,
    _DOCTOR,
    _minutes(15),
    of_host=True,
)
SERVICE_BUSY = Condition(
    "IngestServiceBusy",
    _WARNING,
    "The service {subject} needs nearly a whole core.",
    "It uses {value} of one core, and cannot use more.",
    _SHORT,
    _DOCTOR,
    _minutes(15),
    Watcher.PROMETHEUS,
)
CONNECTIONS_NEARLY_USED = Condition(
    "IngestConnectionsNearlyUsed",
    _WARNING,
    "The service {subject} nearly runs out of connections to Postgres.",
    "{value} of them are used.",
    _SHORT,
    _DOCTOR,
    _minutes(15),
    Watcher.PROMETHEUS,
)
RECALL_LOW = Condition(
    "IngestRecallLow",
    _WARNING,
    "Searches miss near chunks of {subject}.",
    "They found {value} of the nearest chunks when that was last measured.",
    _MISSED,
    _DOCTOR,
    _minutes(5),
)

CONDITIONS: tuple[Condition, ...] = tuple(each for each in list(globals().values()) if isinstance(each, Condition))
BY_NAME = {condition.name: condition for condition in CONDITIONS}
