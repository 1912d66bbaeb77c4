"""The alert rules, and what promtool says of them for series of a made-up hour."""

import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
RULES = ROOT / "monitoring" / "alerts.yaml"
PART = re.compile(r"(\d+)([dhms])")
INSTANCES = ("a", "b")
"""Two services on one database, which both tell everything."""
HEALTHY: dict[str, float] = {
    'ingest_failures_total{stage="parsing",code="corrupt",kind="permanent"}': 0.05,
    'ingest_failures_total{stage="embedding",code="breaker_open",kind="resource"}': 50,
    "ingest_documents_finished_total{}": 60,
    'ingest_dead_letters{code="corrupt"}': 2,
    'ingest_stage_seconds_sum{stage="parsing"}': 30,
    'ingest_stage_seconds_count{stage="parsing"}': 60,
    'ingest_provider_call_seconds_sum{provider="openai"}': 30,
    'ingest_provider_call_seconds_count{provider="openai"}': 60,
    'ingest_provider_breaker_open{provider="openai"}': 0,
    "ingest_budget_spent_usd{}": 1,
    "ingest_budget_limit_usd{}": 10,
    'ingest_retryable_jobs{code="timeout"}': 1,
    'ingest_retryable_jobs{code="budget_spent"}': 0,
    "ingest_claimable_jobs{}": 60,
    'ingest_pauses{kind="everything"}': 0,
    "ingest_workers{}": 2,
    "ingest_instances{}": 1,
    'ingest_daemon_heartbeat_age_seconds{daemon="SENSOR"}': 15,
    'ingest_sensor_tick_age_seconds{sensor="queued_jobs"}': 2,
    'ingest_sensor_on{sensor="queued_jobs"}': 1,
    'ingest_sensor_on{sensor="alert_of_failures"}': 0,
    "up{}": 1,
    "ingest_database_up{}": 1,
    "ingest_dagster_database_up{}": 1,
    'ingest_disk_free_bytes{folder="home"}': 50,
    'ingest_disk_size_bytes{folder="home"}': 100,
    "ingest_host_memory_available_bytes{}": 50,
    "ingest_host_memory_size_bytes{}": 100,
    "process_cpu_seconds_total{}": 6,
    'ingest_pool_connections{state="used"}': 2,
    'ingest_pool_connections{state="idle"}': 2,
    "ingest_pool_connections_limit{}": 8,
    'ingest_index_recall_ratio{model="lexical 1"}': 0.98,
}
"""What all services tell when nothing is wrong: gauges, and counters by how much they rise a minute."""


def rules() -> dict[str, dict[str, Any]]:
    """Every rule by its name."""
    [group] = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return {rule["alert"]: rule for rule in group["rules"]}


def changing(before: int, sick: Mapping[str, float], during: int, after: int) -> Iterator[dict[str, str]]:
    """Give series by the minute: healthy, then with what is `sick`, then healthy again."""
    for name, healthy in HEALTHY.items():
        values = [healthy] * before + [sick.get(name, healthy)] * during + [healthy] * after
        yield from _told(name, list(_summed(values)) if _is_counter(name) else values)


def given(changes: Mapping[str, list[float]]) -> Iterator[dict[str, str]]:
    """Give healthy series as long as these, which take the place of some."""
    length = max(map(len, changes.values()))
    for name, healthy in HEALTHY.items():
        values = changes.get(name, [healthy] * length)
        yield from _told(name, list(_summed(values)) if _is_counter(name) else values)


def firing(series: Iterable[dict[str, str]], minutes: Iterable[int], folder: Path, alert: str = ".+") -> dict[int, int]:
    """Return how many alerts fire after so many minutes.

    Args:
        series: What Prometheus has recorded.
        minutes: When to look.
        folder: Where to write the test.
        alert: A pattern of the rules that count.
    """
    test = folder / "test.json"
    tests = {"interval": "1m", "input_series": list(series)}
    found = {}
    firing_now = f'count(ALERTS{{alertname=~"{alert}",alertstate="firing"}}) or vector(0)'
    # promtool only says whether it finds what was expected: it is asked for what cannot be, and says what there is.
    queries = [
        {"expr": firing_now, "eval_time": f"{minute}m", "exp_samples": [{"labels": "{}", "value": -1}]}
        for minute in minutes
    ]
    test.write_text(json.dumps({"rule_files": [str(RULES)], "tests": [tests | {"promql_expr_test": queries}]}))
    ran = subprocess.run(["promtool", "test", "rules", str(test)], capture_output=True, text=True, check=False)
    told = ran.stdout + ran.stderr
    for line in told.splitlines():
        if "time:" in line:
            minute = _minutes(line.split("time:")[1])
        if "got:" in line:
            found[minute] = int(float(line.split("got:")[1].split()[-1]))
    assert set(found) == set(minutes), told
    return found


def _minutes(duration: str) -> int:
    """Return a duration such as 1d2h3m in minutes."""
    return sum(int(number) * {"d": 1440, "h": 60, "m": 1, "s": 0}[unit] for number, unit in PART.findall(duration))


def _told(name: str, values: list[float]) -> Iterator[dict[str, str]]:
    for instance in INSTANCES:
        labels = f'job="ingest",instance="{instance}"'
        series = name.replace("{}", f"{{{labels}}}") if "{}" in name else name.replace("}", f",{labels}}}")
        yield {"series": series, "values": " ".join(map(str, values))}


def _is_counter(name: str) -> bool:
    return name.partition("{")[0].endswith(("_total", "_sum", "_count"))


def _summed(values: Iterable[float]) -> Iterator[float]:
    total = 0.0
    for value in values:
        total += value
        yield total
