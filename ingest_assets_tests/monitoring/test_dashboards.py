"""The dashboards for Grafana are as the builder makes them, and ask only for what there is."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from ingest_assets.domain.metrics import BY_NAME, Kind
from monitoring.builder import FOLDER, written
from monitoring.panels import DASHBOARDS, Dashboard, Panel

METRIC = re.compile(r"\bingest_[a-z_]+")
NAMES = {dashboard.name: dashboard for dashboard in DASHBOARDS}
HISTOGRAMS = {name for name, metric in BY_NAME.items() if metric.kind is Kind.HISTOGRAM}
SERIES = (set(BY_NAME) - HISTOGRAMS) | {f"{name}_{part}" for name in HISTOGRAMS for part in ("bucket", "sum", "count")}


def panels_of(dashboard: Dashboard) -> Iterator[Panel]:
    for row in dashboard.rows:
        yield from row.panels


@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_what_the_builder_makes(name: str) -> None:
    """If it is not: make dashboards."""
    assert (FOLDER / f"{name}.json").read_text("utf-8") == written(NAMES[name])


def test_there_is_no_other_file() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_asks_only_for_metrics_that_there_are(name: str) -> None:
    for panel in panels_of(NAMES[name]):
        for query in panel.queries:
            asked = set(METRIC.findall(query.expression))
            assert asked
            assert asked <= SERIES, panel.title


@pytest.mark.parametrize("name", NAMES)
def test_grafana_gets_each_panel_with_its_queries_from_the_server_that_the_reader_chooses(name: str) -> None:
    made: dict[str, Any] = json.loads(written(NAMES[name]))
    [variable] = made["templating"]["list"]
    assert (variable["name"], variable["type"], variable["query"]) == ("source", "datasource", "prometheus")
    shown = [panel for panel in made["panels"] if panel["type"] != "row"]
    wanted = list(panels_of(NAMES[name]))
    assert [panel["title"] for panel in shown] == [panel.title for panel in wanted]
    for panel, each in zip(shown, wanted, strict=True):
        assert panel["description"] == each.about
        assert panel["datasource"] == {"type": "prometheus", "uid": "${source}"}
        assert [target["expr"] for target in panel["targets"]] == [query.expression for query in each.queries]
        assert [target["refId"] for target in panel["targets"]] == ["A", "B", "C"][: len(each.queries)]


@pytest.mark.parametrize("name", NAMES)
def test_no_panel_covers_another(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(written(NAMES[name]))["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_each_dashboard_shows_something_on_a_deployment_on_which_all_is_well() -> None:
    for dashboard in DASHBOARDS:
        assert [panel for panel in panels_of(dashboard) if not panel.may_be_empty]
