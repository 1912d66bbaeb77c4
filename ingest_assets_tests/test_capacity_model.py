"""The queueing model agrees with what is known without it, and the page shows what the model says."""

import json
from dataclasses import replace
from itertools import pairwise
from math import ceil
from pathlib import Path

import pytest

from benchmarks.capacity_model.__main__ import sections, with_tables
from benchmarks.capacity_model.check import comparisons
from benchmarks.capacity_model.costs import costs_of, keep, measured_loads
from benchmarks.capacity_model.growth import limits_met
from benchmarks.capacity_model.queueing import CLAIM_SECONDS, Scenario, limits, simulate
from benchmarks.capacity_model.sizing import PEAK_HOUR, PLACES_PER_WORKER, sizes
from ingest_assets_tests.docs.pages import DOCS

IDLE = Scenario(
    documents_per_hour=3_600,
    seconds=400,
    workers=2,
    in_flight=48,
    cores=2,
    cpu_seconds=0.2,
    parse_seconds=15,
    embed_seconds=0.5,
    noticed_after=0.0,
    warm_up=60,
)
COSTS = costs_of(measured_loads())


def test_without_contention_a_document_takes_the_sum_of_its_parts() -> None:
    found = simulate(IDLE)
    assert found.whole_p50 == pytest.approx(CLAIM_SECONDS + 0.2 + 15 + 0.5, rel=0.01)
    assert found.queue_p95 == pytest.approx(CLAIM_SECONDS, abs=0.01)
    assert found.documents_per_hour == pytest.approx(3_600, rel=0.01)


def test_documents_in_flight_obey_littles_law() -> None:
    found = simulate(IDLE)
    assert found.most_in_flight == pytest.approx(ceil(15.7), abs=1)


@pytest.mark.parametrize(
    ("scenario", "limit"),
    [
        (replace(IDLE, documents_per_hour=20_000, workers=1, seconds=900), "places"),
        (replace(IDLE, documents_per_hour=20_000, workers=1, seconds=900, local_share=0.2), "places"),
        (replace(IDLE, documents_per_hour=60_000, in_flight=1_000, seconds=900), "cores"),
    ],
)
def test_beyond_its_limit_a_deployment_does_what_the_limit_allows(scenario: Scenario, limit: str) -> None:
    allowed = limits(scenario)
    assert min(allowed, key=lambda name: allowed[name]) == limit
    assert simulate(scenario).documents_per_hour == pytest.approx(allowed[limit], rel=0.1)


def test_processors_that_queue_single_documents_wait_as_theory_says() -> None:
    """M/D/1: at a load of 0.5, the mean wait is half of the service; here the 95th percentile is beyond it."""
    alone = replace(
        IDLE,
        documents_per_hour=1_800,
        seconds=40_000,
        cores=1,
        cpu_seconds=1.0,
        parse_seconds=0.0,
        embed_seconds=0.0,
        evenly=False,
    )
    found = simulate(alone)
    assert found.busy_cores == pytest.approx(0.5, rel=0.05)
    assert 1.3 < found.whole_p50 < 2.5 < found.whole_p95


def test_the_same_seed_gives_the_same() -> None:
    at_random = replace(IDLE, evenly=False)
    assert simulate(at_random, seed=3) == simulate(at_random, seed=3)
    assert simulate(at_random, seed=3) != simulate(at_random, seed=4)


def test_a_larger_deployment_needs_no_less_of_anything() -> None:
    found = list(sizes(COSTS))
    for smaller, larger in pairwise(found):
        assert smaller.workers <= larger.workers
        assert smaller.cores <= larger.cores
        assert smaller.memory_gb <= larger.memory_gb
        assert smaller.connections <= larger.connections
        assert smaller.usd_per_month < larger.usd_per_month
    assert all(size.uploads_per_minute * 60 == pytest.approx(size.documents_per_day * PEAK_HOUR) for size in found)


def test_a_size_holds_its_busiest_hour() -> None:
    for size in sizes(COSTS):
        assert size.workers * PLACES_PER_WORKER >= size.in_flight


def test_every_limit_of_growth_has_a_plan() -> None:
    assert all(limit.plan and limit.documents > 0 for limit in limits_met(COSTS))


def test_the_model_is_compared_with_every_measured_load() -> None:
    assert {each.load.name for each in comparisons(measured_loads())} == {load.name for load in measured_loads()}


def test_the_page_shows_what_the_model_says() -> None:
    page = (DOCS / "scaling.md").read_text()
    assert with_tables(page) == page, "run .venv/bin/python -m benchmarks.capacity_model docs/scaling.md"


def test_a_kept_load_takes_the_place_of_the_one_with_its_name(tmp_path: Path) -> None:
    results, kept = tmp_path / "load.json", tmp_path / "kept.json"
    for name, figure in (("a", 1), ("b", 2), ("a", 3)):
        results.write_text(json.dumps({"figures": {"x": figure}}))
        keep(name, results, kept)
    assert [(load["name"], load["figures"]["x"]) for load in json.loads(kept.read_text())] == [("a", 3), ("b", 2)]


def test_a_page_without_a_marker_is_refused() -> None:
    with pytest.raises(ValueError, match="measured"):
        with_tables("no tables here")


def test_each_table_has_a_name_of_its_own() -> None:
    names = [name for name, _ in sections()]
    assert len(names) == len(set(names))
