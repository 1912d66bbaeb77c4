"""Each alert fires when something is wrong, and clears when it is mended; a healthy hour is silent."""

import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ingest_assets.domain.alerting.conditions import BY_NAME as BY_CONDITION
from ingest_assets.domain.alerting.conditions import CONDITIONS, Watcher
from ingest_assets.domain.alerting.judgement import WINDOWS, judge
from ingest_assets.domain.alerting.readings import Reading
from ingest_assets.domain.metrics import BY_NAME, INFINITE, SUM, Kind, Sample
from ingest_assets_tests.monitoring.rules import HEALTHY, ROOT, changing, firing, given, rules

needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")

FAILURES = 'ingest_failures_total{stage="parsing",code="corrupt",kind="permanent"}'
PARSING = 'ingest_stage_seconds_sum{stage="parsing"}'
CALLS = 'ingest_provider_call_seconds_sum{provider="openai"}'
CLAIMABLE = "ingest_claimable_jobs{}"
BREAKER = 'ingest_provider_breaker_open{provider="openai"}'
HOUR = 60
LABELS = re.compile(r'(\w+)="([^"]*)"')
LABEL = r"{{ \$labels\.\w+ }}"

SICK: dict[str, tuple[dict[str, float], int, int]] = {
    "IngestErrorRateCritical": ({FAILURES: 6}, 12, 12),
    "IngestErrorRateHigh": ({FAILURES: 2}, 22, 12),
    "IngestDeadLettersAppear": ({'ingest_dead_letters{code="corrupt"}': 3}, 1, 12),
    "IngestStageSlowCritical": ({PARSING: 60 * 30}, 16, 15),
    "IngestStageSlow": ({PARSING: 60 * 4}, 21, 15),
    "IngestProviderSlowCritical": ({CALLS: 60 * 30}, 16, 15),
    "IngestProviderSlow": ({CALLS: 60 * 4}, 21, 15),
    "IngestProviderDown": ({BREAKER: 1}, 3, 1),
    "IngestBudgetSpent": ({"ingest_budget_spent_usd{}": 10}, 1, 1),
    "IngestBudgetNearlySpent": ({"ingest_budget_spent_usd{}": 8.5}, 1, 1),
    "IngestNoWorker": ({"ingest_workers{}": 0}, 6, 1),
    "IngestDaemonSilent": ({'ingest_daemon_heartbeat_age_seconds{daemon="SENSOR"}': 200}, 3, 1),
    "IngestSensorSilent": ({'ingest_sensor_tick_age_seconds{sensor="queued_jobs"}': 400}, 3, 1),
    "IngestSensorOff": ({'ingest_sensor_on{sensor="queued_jobs"}': 0}, 11, 1),
    "IngestServiceDown": ({"up{}": 0}, 3, 1),
    "IngestDatabaseUnreachable": ({"ingest_database_up{}": 0}, 2, 1),
    "IngestDagsterDatabaseUnreachable": ({"ingest_dagster_database_up{}": 0}, 6, 1),
    "IngestDiskNearlyFull": ({'ingest_disk_free_bytes{folder="home"}': 15}, 16, 1),
    "IngestMemoryNearlyUsed": ({"ingest_host_memory_available_bytes{}": 15}, 16, 1),
    "IngestServiceBusy": ({"process_cpu_seconds_total{}": 58}, 22, 6),
    "IngestConnectionsNearlyUsed": ({'ingest_pool_connections{state="used"}': 7}, 16, 1),
    "IngestRecallLow": ({'ingest_index_recall_ratio{model="lexical 1"}': 0.9}, 6, 1),
}
"""What is wrong, after how many minutes the alert fires at the latest, and how many it may take to clear."""
TOLD_OTHERWISE = {"IngestDatabaseUnreachable", "IngestDeadLettersAppear"}
"""Without Prometheus, it is not the metrics that tell of these."""
FOUND_IN_METRICS = [
    name for name in SICK if BY_CONDITION[name].watcher is Watcher.EVERYBODY and name not in TOLD_OTHERWISE
]
GRADUAL = {"IngestQueueGrows"}
"""Has a test of its own."""


@needs_promtool
@pytest.mark.parametrize("alert", SICK)
def test_an_alert_fires_when_something_is_wrong_and_clears_when_it_is_mended(alert: str, tmp_path: Path) -> None:
    sick, fires, clears = SICK[alert]
    before = 6 * HOUR if "Slow" in alert else HOUR  # what is slow is compared with what is usual
    series = list(changing(before, sick, fires + 1, clears + 10))
    mended = before + fires + 1
    found = firing(series, [before - 1, before + fires, mended + clears], tmp_path, alert)
    assert found[before - 1] == 0
    assert found[before + fires] >= 1
    assert found[mended + clears] == 0


@needs_promtool
def test_a_healthy_hour_is_silent(tmp_path: Path) -> None:
    minutes = range(0, HOUR + 1, 5)
    assert firing(changing(HOUR, {}, 1, 0), minutes, tmp_path, "Ingest.*") == {
        # Prometheus has just begun, and takes the dead letters that are there for new.
        minute: int(minute < 10)
        for minute in minutes
    }


@needs_promtool
def test_a_queue_that_grows_for_half_an_hour_is_news_and_a_large_submission_is_not(tmp_path: Path) -> None:
    growing = [60.0 + 5 * minute for minute in range(60)] + [360.0 - 10 * minute for minute in range(30)]
    assert firing(given({CLAIMABLE: growing}), [25, 50, 88], tmp_path, "IngestQueueGrows") == {25: 0, 50: 1, 88: 0}
    submitted = [60.0] * 10 + [5000 - 20.0 * minute for minute in range(80)]
    assert set(firing(given({CLAIMABLE: submitted}), range(0, 90, 10), tmp_path, "IngestQueueGrows").values()) == {0}


@needs_promtool
@pytest.mark.parametrize("why", [BREAKER, 'ingest_pauses{kind="everything"}'])
def test_nobody_is_told_that_workers_are_missing_while_none_may_work(why: str, tmp_path: Path) -> None:
    series = changing(HOUR, {"ingest_workers{}": 0, why: 1}, 20, 0)
    assert firing(series, [HOUR + 15], tmp_path, "IngestNoWorker") == {HOUR + 15: 0}


@needs_promtool
def test_one_failure_among_a_few_documents_is_no_error_rate(tmp_path: Path) -> None:
    finished, failed = [0.0] * 60, [0.0] * 60
    finished[20:26], failed[22] = [1.0] * 6, 1.0
    series = given({"ingest_documents_finished_total{}": finished, FAILURES: failed})
    assert set(firing(series, range(20, 60), tmp_path, "IngestErrorRate.*").values()) == {0}


@needs_promtool
def test_documents_that_wait_for_a_budget_are_news_although_some_of_it_is_left(tmp_path: Path) -> None:
    series = changing(HOUR, {'ingest_retryable_jobs{code="budget_spent"}': 4}, 5, 0)
    assert firing(series, [HOUR + 1], tmp_path, "IngestBudgetSpent") == {HOUR + 1: 1}


def test_every_alert_is_tried() -> None:
    assert set(rules()) == set(SICK) | GRADUAL


@pytest.mark.parametrize("alert", rules())
def test_an_alert_says_how_bad_it_is_what_happened_and_what_helps(alert: str) -> None:
    rule = rules()[alert]
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    assert anchor in {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_rules_and_the_alerts_without_prometheus_are_the_same() -> None:
    assert set(rules()) == {each.name for each in CONDITIONS if each.watcher is not Watcher.OURSELVES}
    assert {each.name for each in CONDITIONS if each.watcher is Watcher.OURSELVES} == {"IngestDocumentsWait"}


@pytest.mark.parametrize("alert", rules())
def test_a_condition_says_what_its_rule_says(alert: str) -> None:
    rule, condition = rules()[alert], BY_CONDITION[alert]
    told = rule["annotations"]
    assert condition.severity == rule["labels"]["severity"]
    assert condition.lasts == timedelta(minutes=int(rule.get("for", "0m").removesuffix("m")))
    assert condition.runbook == told["runbook_url"]
    assert condition.summary == re.sub(rf"{LABEL}( on {LABEL})?", "{subject}", told["summary"])
    assert condition.description == re.sub(r"{{[^}]*\$value[^}]*}}", "{value}", told["description"])


def measured(sick: dict[str, float], before: int, minute: int) -> list[Sample]:
    """What the series of the rules' tests say after so many minutes, of which the first `before` were healthy."""
    return [sample for name, healthy in HEALTHY.items() for sample in one(name, healthy, sick, before, minute)]


def one(name: str, healthy: float, sick: dict[str, float], before: int, minute: int) -> Iterator[Sample]:
    base, _, labels = name.partition("{")
    part = base.rpartition("_")[2]
    metric = BY_NAME.get(base) or BY_NAME.get(base.removesuffix(f"_{part}"))
    if metric is None:  # it is Prometheus's own
        return
    given = dict(LABELS.findall(labels))
    ill = sick.get(name, healthy)
    is_counter = metric.kind is not Kind.GAUGE
    value = healthy * min(minute, before) + ill * max(0, minute - before) if is_counter else ill
    bound = {"sum": SUM, "count": INFINITE}[part] if metric.kind is Kind.HISTOGRAM else None
    yield Sample(metric, tuple(given[label] for label in metric.labels), value, bound)


def found_by_us(sick: dict[str, float], before: int, minute: int) -> set[str]:
    windows = {age: max(0, minute - int(age.total_seconds() // 60)) for age in WINDOWS}
    earlier = {age: Reading.of(measured(sick, before, then)) for age, then in windows.items()}
    return {each.condition.name for each in judge(measured(sick, before, minute), earlier, "a host").findings}


@pytest.mark.parametrize(
    "alert", [name for name in SICK if BY_CONDITION[name].watcher is Watcher.EVERYBODY and name not in TOLD_OTHERWISE]
)
def test_what_fires_a_rule_is_found_without_prometheus_and_nothing_else_is(alert: str) -> None:
    sick, fires, _ = SICK[alert]
    before = 6 * HOUR
    assert found_by_us({}, before, before) == set()
    worse = {alert, f"{alert}Critical", alert.replace("Critical", ""), alert.replace("Critical", "High")}
    found = found_by_us(sick, before, before + fires)
    assert alert in found
    assert found <= worse | {"IngestBudgetNearlySpent"}


@pytest.mark.parametrize("alert", rules())
def test_an_alert_asks_for_metrics_that_exist(alert: str) -> None:
    asked = set(re.findall(r"\bingest_\w+", rules()[alert]["expr"]))
    assert {re.sub(r"_seconds_(sum|count|bucket)$", "_seconds", name) for name in asked} <= set(BY_NAME)
