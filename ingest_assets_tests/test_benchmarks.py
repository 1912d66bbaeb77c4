"""How benchmarks keep and judge their figures, and what they measure against; nothing here measures anything."""

from argparse import ArgumentParser
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from benchmarks import providers
from benchmarks.__main__ import MEASUREMENTS
from benchmarks.bare_client import bare_client_seconds
from benchmarks.emulated_services import Seen, emulated_services
from benchmarks.figures import Measurement, medians, store, stored_results
from benchmarks.report import Target
from benchmarks.sizes import TINY, Sizes, add_sizes, sizes_of

MEASURED = Measurement({"a": 1.0}, {"a": (1.0, 1.0)}, 1, 0.5, 0.1, 0.2, {})


def test_each_measurement_is_a_module_that_measures() -> None:
    assert all(callable(import_module(f"benchmarks.{name}").measure) for name in MEASUREMENTS)


def test_a_figure_is_the_median_of_the_runs_that_have_it() -> None:
    figures, spread = medians([{"a": 3.0, "b": 7.0}, {"a": 1.0}, {"a": 2.0}])
    assert figures == {"a": 2.0, "b": 7.0}
    assert spread == {"a": (1.0, 3.0), "b": (7.0, 7.0)}


def test_a_partial_run_keeps_other_measurements_and_forgets_its_own_old_figures(tmp_path: Path) -> None:
    results = tmp_path / "results" / "latest.json"
    store("one", MEASURED, results)
    store("two", replace(MEASURED, figures={"b": 2.0}, spread={"b": (2.0, 2.0)}), results)
    store("one", replace(MEASURED, figures={"c": 3.0}, spread={"c": (3.0, 3.0)}), results)
    kept = stored_results(results)
    assert kept["figures"] == {"b": 2.0, "c": 3.0}
    assert set(kept["spread"]) == {"b", "c"}


@pytest.mark.parametrize(
    ("target", "figure", "ratio", "met"),
    [
        (Target(least=10), 10.0, None, True),
        (Target(least=10), 9.9, 2.0, False),
        (Target(most=0), 0.0, None, True),
        (Target(most=10), 10.1, 0.1, False),
        (Target(least=0.5, of_floor=True), 0.1, 0.5, True),
        (Target(least=0.5, of_floor=True), 100.0, 0.4, False),
        (Target(least=0.5, of_floor=True), 100.0, None, False),
    ],
)
def test_a_target_bounds_the_figure_or_its_share_of_the_floor(
    target: Target,
    figure: float,
    ratio: float | None,
    met: bool,  # noqa: FBT001
) -> None:
    assert target.is_met(figure, ratio) is met


def test_sizes_are_options_over_the_published_or_the_tiny_ones() -> None:
    parser = ArgumentParser()
    add_sizes(parser)

    def read(*words: str) -> Sizes:
        return sizes_of(vars(parser.parse_args(words)))

    assert read() == Sizes()
    assert read("--tiny", "--documents", "7") == replace(TINY, documents=7)
    assert read("--search-chunks", "1", "2").search_chunks == (1, 2)


def test_the_emulated_services_tell_how_many_documents_were_under_way_at_once(tmp_path: Path) -> None:
    paths = providers.write_pdfs(tmp_path / "documents", 8)
    with emulated_services(TINY.parse_seconds, TINY.embed_seconds) as services:
        bare_client_seconds(services, paths)
    assert services.seen is not None
    assert services.seen.in_flight == 8
    assert (services.seen.uploads, services.seen.results, services.seen.embeddings) == (8, 8, 8)
    assert services.seen.polls >= 8
    assert 1 <= services.seen.embeddings_in_flight <= 8


def test_documents_that_all_began_together_are_no_rate() -> None:
    seen = Seen(in_flight=4, uploads=12, polls=12, results=12, embeddings=12, embeddings_in_flight=1)
    waves = [10.0, 10.0, 10.0, 10.0, 20.0, 20.0, 20.0, 20.0, 30.0, 30.0, 30.0, 30.0]
    assert providers.rates(0.0, waves, seen)["providers_docs_per_hour"] == 8 / 20 * 3600
    assert "providers_docs_per_hour" not in providers.rates(0.0, waves[:4], seen)
