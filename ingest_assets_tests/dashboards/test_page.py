"""Dashboards as a page: whatever they say, it is text, and every chart has its table."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.dashboards.charts import FULL, bar_width, bars, height_of
from ingest_assets.dashboards.page import page_of
from ingest_assets.domain.dashboards.panels import Dashboard, Mood, Panel, Point, Ranking, Row, Series, Tile, Tiles

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOSTILE = '"><script>alert(1)</script>{{ 7 * 7 }}&amp;'
VALUES = st.lists(st.floats(0, 1e12), min_size=1, max_size=60)


class Outline(HTMLParser):
    """Elements, in order, and what each image says."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def page(*panels: Panel) -> str:
    return page_of(NOW, [Dashboard("operations", "What is.", panels)])


def series(values: list[float], limit: float | None = None) -> Series:
    points = tuple(Point(str(place), value, f"{value:.1f}") for place, value in enumerate(values))
    return Series("Work", "What was done.", "hour", points, None if limit is None else Point("most", limit, "much"))


def ranking(values: list[float]) -> Ranking:
    return Ranking(
        "Errors", "What failed.", ("code", "times"), tuple(Row((str(value), "1"), value) for value in values)
    )


def test_whatever_is_said_is_text() -> None:
    made = page(
        Tiles(HOSTILE, (Tile(HOSTILE, HOSTILE, HOSTILE, Mood.BAD),)),
        Series(HOSTILE, HOSTILE, HOSTILE, (Point(HOSTILE, 1, HOSTILE),), Point(HOSTILE, 2, HOSTILE)),
        Ranking(HOSTILE, HOSTILE, (HOSTILE,), (Row((HOSTILE,), 1),)),
        Ranking(HOSTILE, HOSTILE, (HOSTILE,), (), HOSTILE),
    )
    outline = Outline(made)
    assert outline.all("script") == []
    assert "{{ 7 * 7 }}" in made
    assert outline.open == []


def test_nothing_comes_from_elsewhere_and_nothing_runs() -> None:
    outline = Outline(page(series([1, 2], 3), ranking([1]), Tiles("Health", (Tile("Queue", "idle"),))))
    links = [value for _, attributes in outline.found for name, value in attributes.items() if name in ("href", "src")]
    assert links == ["#operations"]
    assert not [name for _, attributes in outline.found for name in attributes if name.startswith(("on", "style"))]
    [policy] = [each["content"] for each in outline.all("meta") if each.get("http-equiv")]
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/=]{44}'; base-uri 'none'; form-action 'none'", policy or ""
    )


def test_each_chart_says_what_it_shows_and_has_its_values_in_a_table() -> None:
    outline = Outline(page(series([1, 3, 2])))
    [chart] = [each for each in outline.all("svg") if each.get("role") == "img"]
    assert "the highest is 3.0 (1)" in (chart["aria-label"] or "")
    assert len(outline.all("table")) == 1
    assert [each.get("scope") for each in outline.all("th")] == ["col", "col", "row", "row", "row"]


def test_a_table_without_rows_says_so() -> None:
    assert "Nothing yet." in page(ranking([]))


@given(VALUES, st.none() | st.floats(0, 1e12))
def test_bars_stay_within_their_chart_and_a_larger_value_has_no_lower_bar(
    values: list[float], limit: float | None
) -> None:
    shown = series(values, limit)
    drawn = bars(shown)
    for place, (value, bar) in enumerate(zip(values, drawn, strict=True)):
        assert place <= bar.x < bar.x + bar.width <= place + 1
        assert 0 <= bar.y <= FULL
        assert abs(bar.y + bar.height - FULL) < 0.02
        assert (bar.height > 0) == (value > 0)
    by_value = [bar.height for _, bar in sorted(zip(values, drawn, strict=True), key=lambda each: each[0])]
    assert by_value == sorted(by_value)
    if limit is not None:
        assert 0 <= height_of(shown, limit) <= FULL


@given(VALUES)
def test_the_longest_bar_of_a_ranking_is_full(values: list[float]) -> None:
    shown = ranking(values)
    assert max(bar_width(shown, row) for row in shown.rows) == (FULL if max(values) > 0 else 0)
