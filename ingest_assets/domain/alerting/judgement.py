"""Which conditions hold, by the metrics as they are now and as they were.

The bounds are those of monitoring/alerts.yaml. A window begins with the first reading within it, as Prometheus has it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from ingest_assets.domain import metrics
from ingest_assets.domain.alerting import conditions
from ingest_assets.domain.alerting.conditions import Condition
from ingest_assets.domain.alerting.readings import Key, Reading
from ingest_assets.domain.bounds import DAEMON_SILENT_AFTER, NEARLY_FULL, QUEUE_SENSOR
from ingest_assets.domain.metrics import Metric, Sample

FIVE, TEN, FIFTEEN = (timedelta(minutes=count) for count in (5, 10, 15))
DAY = timedelta(days=1) + TEN
WINDOWS = (FIVE, TEN, FIFTEEN, DAY)
"""Of what ages readings are needed."""
ONLY_WAIT = frozenset({"resource", "outage"})
"""Failures that are none: the documents wait for something."""
FEWEST_FAILURES = 2
"""So many failures are no share of anything yet."""
FEWEST_WAITING = 50
SHORTEST_NOTEWORTHY = 1.0
"""What takes at most so many seconds is not slow, whatever is usual."""
SLOW, VERY_SLOW = 5, 10
SENSOR_SECONDS = 300
LOWEST_RECALL = 0.95


@dataclass(frozen=True, slots=True)
class Finding:
    """A condition that holds."""

    condition: Condition
    subject: str | None
    value: str
    """What was measured, as people read it."""

    @property
    def key(self) -> str:
        return key_of(self.condition, self.subject)


def key_of(condition: Condition, subject: str | None) -> str:
    """Return the name by which all workers know a condition of one subject."""
    return condition.name if subject is None else f"{condition.name}:{subject}"


def of_host(folder: str, host: str) -> str:
    """Return the subject of a condition of one host's folder."""
    return f"{folder} on {host}"


def is_of(host: str, subject: str) -> bool:
    """Return whether a condition of a host, or of something there, is this host's."""
    return subject == host or subject.endswith(of_host("", host))


@dataclass(frozen=True, slots=True)
class Judgement:
    findings: tuple[Finding, ...]
    unknown: frozenset[str]
    """The names of conditions of which nothing can be said, because what would tell did not answer."""


def judge(samples: Iterable[Sample], earlier: Mapping[timedelta, Reading], host: str) -> Judgement:
    """Return which conditions hold.

    Args:
        samples: The metrics now.
        earlier: For each window the first reading within it, if there is one.
        host: The name of this deployment, for what each host has of its own.
    """
    now = _Now(samples)
    found = [
        *_error_rates(now.reading, earlier),
        *_slow_stages(now.reading, earlier),
        *_slow_providers(now.reading, earlier),
        *_providers(now),
        *_budgets(now),
        *_queue(now, earlier),
        *_dagster(now, host),
        *_resources(now, host),
        *_recalls(now),
    ]
    of_dagster = (conditions.DAEMON_SILENT, conditions.SENSOR_SILENT, conditions.SENSOR_OFF)
    unknown = frozenset() if now.of(metrics.DAGSTER_UP) else frozenset(each.name for each in of_dagster)
    return Judgement(tuple(found), unknown)


class _Now:
    def __init__(self, samples: Iterable[Sample]) -> None:
        samples = list(samples)
        self.reading = Reading.of(samples)
        self._values: dict[str, dict[Key, float]] = {}
        for sample in samples:
            self._values.setdefault(sample.metric.name, {})[sample.labels] = sample.value

    def all(self, metric: Metric) -> dict[Key, float]:
        return self._values.get(metric.name, {})

    def of(self, metric: Metric, *labels: str) -> float:
        return self.all(metric).get(labels, 0)


def _error_rates(now: Reading, earlier: Mapping[timedelta, Reading]) -> Iterator[Finding]:
    for condition, window, most in (
        (conditions.ERROR_RATE_CRITICAL, FIVE, 0.05),
        (conditions.ERROR_RATE_HIGH, TEN, 0.02),
    ):
        if (before := earlier.get(window)) is None:
            continue
        rises = now.rise(before, metrics.FAILURES_TOTAL.name)
        failed = sum(risen for (*_, kind), risen in rises if kind not in ONLY_WAIT)
        finished = now.total_rise(before, metrics.FINISHED_TOTAL)
        if failed > FEWEST_FAILURES and failed / (failed + finished) > most:
            yield Finding(condition, None, _share(failed / (failed + finished)))


def _slow_stages(now: Reading, earlier: Mapping[timedelta, Reading]) -> Iterator[Finding]:
    both = (conditions.STAGE_SLOW_CRITICAL, VERY_SLOW), (conditions.STAGE_SLOW, SLOW)
    for (stage,), seconds, usual in _means(now, earlier, metrics.STEP):
        for condition, times in both:
            if stage != "queued" and seconds > times * usual > SHORTEST_NOTEWORTHY:
                yield Finding(condition, stage, _span(seconds))


def _slow_providers(now: Reading, earlier: Mapping[timedelta, Reading]) -> Iterator[Finding]:
    both = (conditions.PROVIDER_SLOW_CRITICAL, VERY_SLOW), (conditions.PROVIDER_SLOW, SLOW)
    for (provider,), seconds, usual in _means(now, earlier, metrics.CALL):
        for condition, times in both:
            if seconds > times * usual > SHORTEST_NOTEWORTHY:
                yield Finding(condition, provider, _span(seconds))


def _means(now: Reading, earlier: Mapping[timedelta, Reading], metric: Metric) -> Iterator[tuple[Key, float, float]]:
    """Give the mean of the last ten minutes and of the day before, where both are known."""
    recent, day_before = earlier.get(TEN), earlier.get(DAY)
    if recent is None or day_before is None:
        return
    usual = recent.means(day_before, metric)
    for labels, mean in now.means(recent, metric).items():
        if labels in usual:
            yield labels, mean, usual[labels]


def _providers(now: _Now) -> Iterator[Finding]:
    for (provider,), is_open in now.all(metrics.BREAKER).items():
        if is_open:
            yield Finding(conditions.PROVIDER_DOWN, provider, "")


def _budgets(now: _Now) -> Iterator[Finding]:
    spent, limits = now.of(metrics.BUDGET_SPENT), now.all(metrics.BUDGET_LIMIT)
    if now.of(metrics.RETRYABLE, "budget_spent") or any(spent >= limit for limit in limits.values()):
        yield Finding(conditions.BUDGET_SPENT, None, f"{spent:.2f}")
    if any(spent >= NEARLY_FULL * limit for limit in limits.values()):
        yield Finding(conditions.BUDGET_NEARLY_SPENT, None, f"{spent:.2f}")


def _queue(now: _Now, earlier: Mapping[timedelta, Reading]) -> Iterator[Finding]:
    waiting = now.of(metrics.CLAIMABLE)
    before = earlier.get(FIFTEEN)
    if before is not None and waiting > FEWEST_WAITING and waiting > before.get(metrics.CLAIMABLE):
        yield Finding(conditions.QUEUE_GROWS, None, f"{waiting:.0f}")
    explained = any(now.all(metrics.BREAKER).values()) or now.of(metrics.PAUSES, "everything")
    if waiting and not now.of(metrics.WORKERS) and not explained:
        yield Finding(conditions.NO_WORKER, None, f"{waiting:.0f}")


def _dagster(now: _Now, host: str) -> Iterator[Finding]:
    if not now.of(metrics.DAGSTER_UP):
        if now.of(metrics.INSTANCES):
            yield Finding(conditions.DAGSTER_DATABASE_UNREACHABLE, host, "")
        return
    silence = min(now.all(metrics.HEARTBEAT_AGE).values(), default=0)
    if silence > DAEMON_SILENT_AFTER.total_seconds():
        yield Finding(conditions.DAEMON_SILENT, None, _span(silence))
    is_on = now.all(metrics.SENSOR_ON).get((QUEUE_SENSOR,))
    silence = now.of(metrics.TICK_AGE, QUEUE_SENSOR)
    if is_on and silence > SENSOR_SECONDS:
        yield Finding(conditions.SENSOR_SILENT, QUEUE_SENSOR, _span(silence))
    if is_on == 0:
        yield Finding(conditions.SENSOR_OFF, QUEUE_SENSOR, "")


def _resources(now: _Now, host: str) -> Iterator[Finding]:
    for (folder,), size in now.all(metrics.DISK_SIZE).items():
        used = 1 - now.of(metrics.DISK_FREE, folder) / size if size else 0
        if used > NEARLY_FULL:
            yield Finding(conditions.DISK_NEARLY_FULL, of_host(folder, host), _share(used))
    for size in now.all(metrics.MEMORY_SIZE).values():
        used = 1 - now.of(metrics.MEMORY_AVAILABLE) / size if size else 0
        if used > NEARLY_FULL:
            yield Finding(conditions.MEMORY_NEARLY_USED, host, _share(used))


def _recalls(now: _Now) -> Iterator[Finding]:
    for (model,), recall in now.all(metrics.RECALL).items():
        if recall < LOWEST_RECALL:
            yield Finding(conditions.RECALL_LOW, model, _share(recall))


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _span(seconds: float) -> str:
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 120:  # noqa: PLR2004  people count minutes from two on
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min"
