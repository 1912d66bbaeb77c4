"""Excel's workbooks, read part by part."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO

from lxml import etree

from ingest_assets.adapters.parsers.sealed.office.charts import chart_titles
from ingest_assets.adapters.parsers.sealed.office.paragraphs import drawn_paragraphs
from ingest_assets.adapters.parsers.sealed.office.parts import (
    EMBEDDED,
    PARSER_OPTIONS,
    Element,
    Parts,
    UnreadableError,
    local_id,
    natural,
)
from ingest_assets.adapters.parsers.sealed.office.pictures import is_scan
from ingest_assets.adapters.parsers.sealed.office.sheets.escapes import unescaped
from ingest_assets.adapters.parsers.sealed.office.sheets.tables import Merge, Sheet
from ingest_assets.domain.documents.warnings import WarningKind
from ingest_assets.domain.text.number_codes import BUILT_IN, GENERAL
from ingest_assets.domain.text.number_formats import shown

SHEETS = {"worksheet", "chartsheet"}
REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})")
PRINT_CODE = re.compile(r'&(?:"[^"]*"|\d+|[A-Za-z&+-])')
LAST_COLUMN = 16_384
MARGINS = ("Header", "Footer")
READ = tuple(
    f"{{*}}{name}" for name in ("col", "row", "mergeCell", "oddHeader", "oddFooter", "firstHeader", "firstFooter")
)
LONGEST_NAME = 100
UNKNOWN_AUTHOR = "an unknown author"
THREADED = "Comment:"
"""What precedes the text where Excel keeps a thread for older programs."""


@dataclass(frozen=True, slots=True)
class Workbook:
    strings: list[str]
    codes: list[str]
    """The code of the number format of each style of cells."""
    since_1904: bool


def sheets(content: bytes, warnings: Counter[WarningKind]) -> Iterator[Sheet]:
    """Yield the sheets of a workbook, and count what they hold that is not read.

    Raises:
        UnreadableError: The package is damaged.
    """
    parts = Parts(content)
    main = parts.main_part()
    root = parts.tree(main)
    if root is None:
        raise UnreadableError
    related = parts.relationships(main)
    targets = {each.kind: each.target for each in related.values()}
    properties = root.find("{*}workbookPr")
    book = Workbook(
        strings=_strings(parts.read(targets.get("sharedStrings", ""))),
        codes=_codes(parts.tree(targets.get("styles", ""))),
        since_1904=properties is not None and properties.get("date1904") in {"1", "true"},
    )
    seen = set()
    for each in root.iter("{*}sheet"):
        relationship = related.get(local_id(each))
        if relationship is None or relationship.kind not in SHEETS or relationship.target in seen:
            continue
        seen.add(relationship.target)
        sheet = Sheet(unescaped(each.get("name", "")), is_hidden=each.get("state") in {"hidden", "veryHidden"})
        _read_sheet(parts.read(relationship.target), sheet, book)
        _read_beside(parts, relationship.target, sheet, warnings)
        yield sheet


def _read_sheet(content: bytes | None, sheet: Sheet, book: Workbook) -> None:
    number = 0
    for element in _elements(content, READ):
        name = etree.QName(element).localname
        if name == "row":
            number = _whole(element.get("r")) or number + 1
            if _is_hidden(element):
                sheet.hidden_rows.add(number)
            texts = dict(_cells(element, book))
            if texts:
                sheet.rows[number] = texts
        elif name == "col" and _is_hidden(element):
            first, last = _whole(element.get("min")), min(_whole(element.get("max")), LAST_COLUMN)
            sheet.hidden_columns |= set(range(first, last + 1))
        elif name == "mergeCell":
            sheet.merges += _merge(element.get("ref", ""))
        elif name.endswith(MARGINS):
            text = " ".join(PRINT_CODE.sub(" ", unescaped(element.text or "")).split())
            (sheet.before if name.endswith("Header") else sheet.behind).extend([text] if text else [])


def _cells(row: Element, book: Workbook) -> Iterator[tuple[int, str]]:
    column = 0
    for cell in row:
        found = REFERENCE.fullmatch(cell.get("r", ""))
        column = _column(found[1]) if found else column + 1
        text = _text(cell, book)
        if text.strip():
            yield column, text


def _text(cell: Element, book: Workbook) -> str:
    kind, value = cell.get("t", "n"), ""
    for child in cell:
        if child.tag.endswith("}v"):
            value = child.text or ""
        elif child.tag.endswith("}is"):
            return _rich_text(child)
    match kind:
        case "s":
            return _chosen(book.strings, value, "")
        case "b":
            return {"1": "TRUE", "0": "FALSE"}.get(value, value)
        case "n":
            return _number(value, cell.get("s", "0"), book)
        case _:
            return unescaped(value)


def _number(value: str, style: str, book: Workbook) -> str:
    code = _chosen(book.codes, style, GENERAL)
    try:
        return shown(float(value), code, since_1904=book.since_1904)
    except ValueError:
        return value


def _chosen(options: list[str], place: str, otherwise: str) -> str:
    at = natural(place, default=len(options))
    return options[at] if at < len(options) else otherwise


def _strings(content: bytes | None) -> list[str]:
    return [_rich_text(each) for each in _elements(content, ("{*}si",))]


def _rich_text(element: Element) -> str:
    """Return the text of all runs, without the readings of Japanese words."""
    texts = (each for each in element.iter("{*}t") if not each.getparent().tag.endswith("}rPh"))
    return unescaped("".join(each.text or "" for each in texts))


def _codes(styles: Element | None) -> list[str]:
    if styles is None:
        return []
    codes = dict(BUILT_IN)
    own = styles.find("{*}numFmts")  # those of conditional formats have ids of their own
    codes |= {
        _whole(each.get("numFmtId")): unescaped(each.get("formatCode", GENERAL))
        for each in ([] if own is None else own)
    }
    formats = styles.find("{*}cellXfs")
    return [codes.get(_whole(each.get("numFmtId")), GENERAL) for each in ([] if formats is None else formats)]


def _read_beside(parts: Parts, name: str, sheet: Sheet, warnings: Counter[WarningKind]) -> None:
    """Read notes and boxes, and count pictures and embedded files."""
    for each in parts.relationships(name).values():
        if each.is_external:
            continue
        warnings[WarningKind.EMBEDDED_OBJECTS] += each.kind in EMBEDDED
        if each.kind in {"comments", "drawing"}:
            root = parts.tree(each.target)
            if root is not None:
                sheet.behind += _notes(root) if each.kind == "comments" else _drawn(parts, each.target, root)
                warnings[WarningKind.PICTURES_WITHOUT_TEXT] += sum(map(is_scan, root.iter("{*}pic")))


def _notes(root: Element) -> Iterator[str]:
    authors = [unescaped("".join(each.itertext()))[:LONGEST_NAME] for each in root.iter("{*}author")]
    for comment in root.iter("{*}comment"):
        author = _whole(comment.get("authorId"))
        text = " ".join(_rich_text(comment).split())
        _, is_thread, said = text.partition(THREADED)
        by = (authors[author] if author < len(authors) and not is_thread else "") or UNKNOWN_AUTHOR
        if text:
            yield f"Comment by {by} on {comment.get('ref', '')}: {said.strip() if is_thread else text}"


def _drawn(parts: Parts, name: str, root: Element) -> Iterator[str]:
    """Yield what boxes and drawn lists say, and the titles of charts, whose figures are in cells."""
    yield from drawn_paragraphs(root)
    for each in parts.relationships(name).values():
        if not each.is_external and each.kind in {"chart", "diagramData"}:
            shown = parts.tree(each.target)
            yield from drawn_paragraphs(shown) if each.kind == "diagramData" else chart_titles(shown)


def _elements(content: bytes | None, names: tuple[str, ...]) -> Iterator[Element]:
    """Yield these elements one after the other; each is forgotten before the next.

    Raises:
        UnreadableError: The content is no XML.
    """
    if content is None:
        return
    try:
        for _, element in etree.iterparse(BytesIO(content), tag=names, **PARSER_OPTIONS):
            yield element
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError:
        raise UnreadableError from None


def _merge(reference: str) -> list[Merge]:
    first, _, last = reference.partition(":")
    begin, end = REFERENCE.fullmatch(first), REFERENCE.fullmatch(last)
    if begin is None or end is None or int(end[2]) <= int(begin[2]):
        return []
    return [Merge(int(begin[2]), int(end[2]), _column(begin[1]))]


@cache
def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _is_hidden(element: Element) -> bool:
    return element.get("hidden") in {"1", "true"}


def _whole(text: str | None) -> int:
    return natural(text)
