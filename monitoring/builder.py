"""Make the dashboards for Grafana: `python -m monitoring.builder` writes them beside this module."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from grafana_foundation_sdk.builders import common, prometheus, stat, timeseries
from grafana_foundation_sdk.builders import dashboard as grafana
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import StackingMode
from grafana_foundation_sdk.models.dashboard import DataSourceRef, GridPos
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from monitoring.panels import DASHBOARDS, Dashboard, Panel, Shape

FOLDER = Path(__file__).parent / "dashboards"
SOURCE = DataSourceRef(type_val="prometheus", uid="${source}")
"""The reader chooses among the Prometheus servers that Grafana knows."""
WHOLE = 24
"""How wide a dashboard is."""


def written(dashboard: Dashboard) -> str:
    """Return a dashboard as Grafana imports it."""
    return json.dumps(_built(dashboard), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _built(dashboard: Dashboard) -> object:
    made = (
        grafana.Dashboard(f"Ingest: {dashboard.name}")
        .uid(f"ingest-{dashboard.name}")
        .description(dashboard.about)
        .tags(["ingest"])
        .refresh("1m")
        .time(dashboard.looks_back, "now")
        .timezone("browser")
        .readonly()
        .with_variable(grafana.DatasourceVariable("source").label("Prometheus").type("prometheus"))
    )
    top = 0
    for row in dashboard.rows:
        made = made.with_row(grafana.Row(row.title).grid_pos(GridPos(x=0, y=top, w=WHOLE, h=1)))
        top += 1
        for shelf in _shelves(row.panels):
            left = 0
            for panel in shelf:
                width, height = _size(panel)
                place = GridPos(x=left, y=top, w=width, h=height)
                made = made.with_panel((_figure if panel.shape is Shape.FIGURE else _lines)(panel).grid_pos(place))
                left += width
            top += max(_size(panel)[1] for panel in shelf)
    return made.build()


def _shelves(panels: Iterable[Panel]) -> Iterator[list[Panel]]:
    """Yield the panels that stand side by side."""
    shelf: list[Panel] = []
    for panel in panels:
        if sum(_size(each)[0] for each in (*shelf, panel)) > WHOLE:
            yield shelf
            shelf = []
        shelf.append(panel)
    yield shelf


def _size(panel: Panel) -> tuple[int, int]:
    """Return the width and the height."""
    return (3, 4) if panel.shape is Shape.FIGURE else (8, 8)


def _figure(panel: Panel) -> stat.Panel:
    made = stat.Panel().reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    made = made.title(panel.title).description(panel.about).unit(panel.unit).datasource(SOURCE)
    return made.targets(_targets(panel)).no_value("–")


def _lines(panel: Panel) -> timeseries.Panel:
    made = timeseries.Panel().title(panel.title).description(panel.about).unit(panel.unit).datasource(SOURCE).min(0)
    if panel.shape is Shape.AREAS:
        made = made.stacking(common.StackingConfig().mode(StackingMode.NORMAL)).fill_opacity(30)
    return made.targets(_targets(panel)).no_value("–")


def _targets(panel: Panel) -> list[Builder[Dataquery]]:
    return [
        prometheus.Dataquery()
        .ref_id(chr(ord("A") + place))
        .expr(query.expression)
        .legend_format(query.legend or panel.title)
        .format(PromQueryFormat.TIME_SERIES)
        .datasource(SOURCE)
        for place, query in enumerate(panel.queries)
    ]


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for dashboard in DASHBOARDS:
        (FOLDER / f"{dashboard.name}.json").write_text(written(dashboard), "utf-8")


if __name__ == "__main__":
    main()
