"""Charts: what they say in words and figures."""

from collections.abc import Iterator

from ingest_assets.adapters.parsers.sealed.office.paragraphs import drawn_paragraphs
from ingest_assets.adapters.parsers.sealed.office.parts import Element

CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
NAMES = "urn:oasis:names:tc:opendocument:xmlns:"
OPEN_CHART, TEXT, TABLE = (f"{{{NAMES}{name}:1.0}}" for name in ("chart", "text", "table"))
MOST_POINTS = 2000
"""Of a row of figures."""


def chart_lines(root: Element | None) -> Iterator[str]:
    """Yield the titles of a chart, and its rows of figures with their names."""
    if root is None:
        return
    yield from chart_titles(root)
    for series in root.iter(f"{CHART}ser"):
        name = " ".join(_points(series.find(f"{CHART}tx")))
        labels = [*_points(series.find(f"{CHART}cat")), *_points(series.find(f"{CHART}xVal"))]
        figures = [*_points(series.find(f"{CHART}val")), *_points(series.find(f"{CHART}yVal"))]
        shown = [" ".join(pair) for pair in zip(labels, figures, strict=False)] or labels or figures
        line = ": ".join(filter(None, (name, ", ".join(shown))))
        if line:
            yield line


def chart_titles(root: Element | None) -> Iterator[str]:
    for title in [] if root is None else root.iter(f"{CHART}title"):
        yield from drawn_paragraphs(title)


def open_chart_lines(root: Element | None) -> Iterator[str]:
    """Yield the titles of a chart of OpenDocument, and the rows of its own table."""
    if root is None:
        return
    for title in root.iter(f"{OPEN_CHART}title", f"{OPEN_CHART}subtitle"):
        text = " ".join("".join(title.itertext()).split())
        if text:
            yield text
    for row in root.iter(f"{TABLE}table-row"):
        cells = (" ".join("".join(_own_text(cell)).split()) for cell in row.iter(f"{TABLE}table-cell"))
        line = " ".join(filter(None, cells))
        if line:
            yield line


def _own_text(cell: Element) -> Iterator[str]:
    for paragraph in cell.iterfind(f"{TEXT}p"):
        yield from paragraph.itertext()


def _points(element: Element | None) -> list[str]:
    """Return the values that a chart keeps of cells."""
    if element is None:
        return []
    values = [each.text.strip() for each in element.iter(f"{CHART}v") if each.text and each.text.strip()]
    return values[:MOST_POINTS]
