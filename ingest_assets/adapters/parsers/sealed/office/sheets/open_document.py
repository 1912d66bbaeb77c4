"""Spreadsheets of OpenDocument, which store what each cell shows."""

from collections import Counter
from collections.abc import Iterator

from ingest_assets.adapters.parsers.sealed.office.paragraphs import write_spaces
from ingest_assets.adapters.parsers.sealed.office.parts import Element, Parts, UnreadableError, natural
from ingest_assets.adapters.parsers.sealed.office.sheets.tables import Merge, Sheet
from ingest_assets.domain.documents.warnings import WarningKind

NAMES = "urn:oasis:names:tc:opendocument:xmlns:"
TABLE, TEXT, STYLE = (f"{{{NAMES}{name}:1.0}}" for name in ("table", "text", "style"))
OBJECT = f"{{{NAMES}drawing:1.0}}object"
ANNOTATION = f"{{{NAMES}office:1.0}}annotation"
CELLS = {f"{TABLE}table-cell", f"{TABLE}covered-table-cell"}
MOST_REPEATED = 1000
"""A row or cell with text that is repeated more often is made to exhaust its reader; one without is only skipped."""
LAST_COLUMN = 16_384
SHOWN = {None, "visible"}


def sheets(content: bytes, warnings: Counter[WarningKind]) -> Iterator[Sheet]:
    """Yield the sheets of a spreadsheet, and count the objects that they hold.

    Raises:
        UnreadableError: The package is damaged.
    """
    root = Parts(content).tree("content.xml")
    if root is None:
        raise UnreadableError
    write_spaces(root)
    hidden = set(_hidden_styles(root))
    warnings[WarningKind.EMBEDDED_OBJECTS] += sum(1 for _ in root.iter(OBJECT))
    for table in root.iter(f"{TABLE}table"):
        sheet = Sheet(table.get(f"{TABLE}name", ""), is_hidden=table.get(f"{TABLE}style-name") in hidden)
        _read_columns(table, sheet)
        _read_rows(table, sheet)
        yield sheet


def _hidden_styles(root: Element) -> Iterator[str]:
    for properties in root.iter(f"{STYLE}table-properties"):
        if properties.get(f"{TABLE}display") == "false":
            yield properties.getparent().get(f"{STYLE}name", "")


def _read_columns(table: Element, sheet: Sheet) -> None:
    at = 1
    for column in table.iter(f"{TABLE}table-column"):
        count = _repeated(column, "columns")
        if column.get(f"{TABLE}visibility") not in SHOWN:
            sheet.hidden_columns |= set(range(at, min(at + count, LAST_COLUMN + 1)))
        at += count


def _read_rows(table: Element, sheet: Sheet) -> None:
    at = 1
    for row in table.iter(f"{TABLE}table-row"):
        if next(row.iterancestors(f"{TABLE}table")) is not table:
            continue  # of a table within a cell
        count = _repeated(row, "rows")
        texts = dict(_texts(row, at, sheet))
        for number in range(at, at + min(count, MOST_REPEATED)) if texts else ():
            sheet.rows[number] = texts
            if row.get(f"{TABLE}visibility") not in SHOWN:
                sheet.hidden_rows.add(number)
        at += count


def _texts(row: Element, number: int, sheet: Sheet) -> Iterator[tuple[int, str]]:
    at = 1
    for cell in row:
        if cell.tag not in CELLS:
            continue
        count = _repeated(cell, "columns")
        text = " ".join(_paragraphs(cell, TEXT + "p"))
        for column in range(at, at + min(count, MOST_REPEATED)) if text else ():
            yield column, text
        height = _whole(cell.get(f"{TABLE}number-rows-spanned"))
        if height > 1:
            sheet.merges.append(Merge(number, number + height - 1, at))
        for note in cell.iter(ANNOTATION):
            said = " ".join("".join(each.itertext()) for each in note.iter(TEXT + "p"))
            if said.strip():
                sheet.behind.append(f"Comment: {said}")
        at += count


def _paragraphs(cell: Element, name: str) -> Iterator[str]:
    for child in cell:
        if child.tag == name:
            text = "".join(child.itertext()).strip()
            if text:
                yield _percent_apart(text, cell)


def _percent_apart(text: str, cell: Element) -> str:
    """Return the text as `number_formats` shows it."""
    is_percentage = cell.get(f"{{{NAMES}office:1.0}}value-type") == "percentage"
    return f"{text[:-1].rstrip()} %" if is_percentage and text.endswith("%") else text


def _repeated(element: Element, what: str) -> int:
    return max(1, _whole(element.get(f"{TABLE}number-{what}-repeated")))


def _whole(text: str | None) -> int:
    return natural(text)
