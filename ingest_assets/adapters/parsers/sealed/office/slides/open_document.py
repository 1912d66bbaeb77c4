"""Presentations of OpenDocument."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

from ingest_assets.adapters.parsers.sealed.office.charts import open_chart_lines
from ingest_assets.adapters.parsers.sealed.office.paragraphs import write_spaces
from ingest_assets.adapters.parsers.sealed.office.parts import Element, Parts, UnreadableError
from ingest_assets.adapters.parsers.sealed.office.sheets.tables import table_lines
from ingest_assets.adapters.parsers.sealed.refusals import RefusedError
from ingest_assets.domain.documents.warnings import WarningKind

NAMES = "urn:oasis:names:tc:opendocument:xmlns:"
DRAW, TEXT, TABLE, STYLE, PRESENTATION = (
    f"{{{NAMES}{name}:1.0}}" for name in ("drawing", "text", "table", "style", "presentation")
)
PARAGRAPHS = (f"{TEXT}p", f"{TEXT}h")
LINK = "{http://www.w3.org/1999/xlink}href"
KIND = f"{PRESENTATION}class"


def slide_texts(content: bytes, warnings: Counter[WarningKind]) -> list[str]:
    """Return the text of each slide; that of a hidden one is empty, so that the others keep their numbers.

    Raises:
        RefusedError: corrupt.
    """
    try:
        parts = Parts(content)
        root = parts.tree("content.xml")
    except UnreadableError:
        root = None
    if root is None:
        raise RefusedError("corrupt")
    write_spaces(root)
    hidden = {
        each.getparent().get(f"{STYLE}name")
        for each in root.iter(f"{STYLE}drawing-page-properties")
        if each.get(f"{PRESENTATION}visibility") == "hidden"
    }
    texts = []
    for page in root.iter(f"{DRAW}page"):
        is_hidden = page.get(f"{DRAW}style-name") in hidden
        warnings[WarningKind.HIDDEN_SLIDES] += is_hidden
        warnings[WarningKind.EMBEDDED_OBJECTS] += 0 if is_hidden else sum(1 for _ in page.iter(f"{DRAW}object-ole"))
        shown = (*_shapes(page), *_charts(parts, page), *_margins(root, page))
        texts.append("" if is_hidden else "\n\n".join(shown))
    return texts


def _charts(parts: Parts, page: Element) -> Iterator[str]:
    """Yield what the charts of a slide say; what else is embedded has no titles and no table."""
    for each in page.iter(f"{DRAW}object"):
        name = each.get(LINK, "").removeprefix("./")
        with suppress(UnreadableError):
            yield from open_chart_lines(parts.tree(f"{name}/content.xml"))


def _margins(root: Element, page: Element) -> Iterator[str]:
    """Yield the head and the foot that a slide uses."""
    for name in ("header", "footer"):
        used = page.get(f"{PRESENTATION}use-{name}-name")
        for declared in root.iter(f"{PRESENTATION}{name}-decl") if used else ():
            text = " ".join("".join(declared.itertext()).split())
            if declared.get(f"{PRESENTATION}name") == used and text:
                yield text


def _shapes(parent: Element) -> Iterator[str]:
    """Yield the text of each shape, wherever it is grouped, and of the notes at the end."""
    for shape in parent:
        if shape.tag == f"{PRESENTATION}notes":
            frames = [each for each in shape if each.get(KIND) == "notes"]
            notes = " ".join(line for frame in frames for line in _lines(frame))
            if notes:
                yield f"Notes: {notes}"
        elif shape.tag == f"{DRAW}g":
            yield from _shapes(shape)
        elif shape.get(KIND) == "title":
            title = " ".join(_lines(shape))
            if title:
                yield f"## {title}"
        else:
            yield from _blocks(shape)


def _blocks(shape: Element) -> Iterator[str]:
    tables = list(shape.iter(f"{TABLE}table"))
    if not tables:
        yield from _lines(shape)
    for table in tables:
        rows = [dict(enumerate(_cells(row))) for row in table.iter(f"{TABLE}table-row")]
        yield "\n".join(table_lines([row for row in rows if any(row.values())]))


def _cells(row: Element) -> Iterator[str]:
    for cell in row.iterfind(f"{TABLE}table-cell"):
        yield " ".join(_lines(cell))


def _lines(element: Element) -> Iterator[str]:
    for paragraph in element.iter(*PARAGRAPHS):
        text = " ".join("".join(paragraph.itertext()).split())
        if text:
            yield text
