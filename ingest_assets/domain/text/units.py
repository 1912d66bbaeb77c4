"""Cut blocks into units, which are never cut again, each with the strength of the boundary before it."""

import re
from collections.abc import Iterable, Iterator
from enum import IntEnum
from functools import cache
from typing import NamedTuple

from ingest_assets.domain.text.markdown_blocks import Block, BlockKind, trimmed_end
from ingest_assets.domain.text.normalisation import has_words

SHORTEST_UNIT = 8
"""The fewest characters of a piece of a block, so that hostile text has fewer units than characters."""

Span = tuple[int, int, int]
"""A start, an end, and the strength of the boundary before."""


class Boundary(IntEnum):
    """How good a place this is to end a chunk; the boundary before a heading is HEADING + 6 - its level."""

    JOINT = 0
    """After a heading or a table's header: what follows belongs to it."""
    CHARACTER = 1
    WORD = 2
    LINE = 3
    SENTENCE = 4
    ITEM = 5
    BLOCK = 6
    HEADING = 7
    TEXT_END = 13


class Unit(NamedTuple):
    start: int
    end: int
    boundary: int
    block: Block
    lead: int
    """How many characters to keep free in a chunk that begins with this unit, for what it repeats of the block."""
    label: tuple[int, int] = (0, 0)
    """Where the first cell is, if the unit goes on with a row that is wider than a chunk; empty for all others."""


def _pieces_ending_with(separator: str) -> re.Pattern[str]:
    return re.compile(rf"(?s:.{{1,{SHORTEST_UNIT}}}.*?)(?:{separator}|\Z)")


_SENTENCES = _pieces_ending_with(r"[.!?…][\"'”’»)\]*_]*\s++(?![a-z])|[。！？][”’」』）]*\s*")
_LINES = _pieces_ending_with(r"\n\s*")
_ITEMS = _pieces_ending_with(r"\n(?=[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t])")
_CELLS = _pieces_ending_with(r"(?<!\\)\|[ \t]*")
_FIRST_CELL = re.compile(r"\|?[ \t]*+(?:[^|\n\\]|\\.)*+\|")
_WORDS = re.compile(rf"(?s:.{{1,{SHORTEST_UNIT}}})\S*\s*")

_WHITE_SPACE = re.compile(r"\s*+")

_COMBINING = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0900-\u0903\u093a-\u094f\u0e31-\u0e3a\u0e47-\u0e4e"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u3099\u309a\ufe00-\ufe0f\ufe20-\ufe2f\u200d\U0001f3fb-\U0001f3ff"
)

_PROSE = ((Boundary.SENTENCE, _SENTENCES), (Boundary.LINE, _LINES), (Boundary.WORD, _WORDS))
_CUTS = {
    BlockKind.HEADING: _PROSE,
    BlockKind.PARAGRAPH: _PROSE,
    BlockKind.RULE: _PROSE,
    BlockKind.LIST: ((Boundary.ITEM, _ITEMS), *_PROSE),
    BlockKind.TABLE: ((Boundary.ITEM, _LINES), (Boundary.LINE, _CELLS), (Boundary.WORD, _WORDS)),
    BlockKind.FENCE: ((Boundary.ITEM, _LINES), (Boundary.WORD, _WORDS)),
}


def units_of(text: str, blocks: Iterable[Block], max_characters: int, overlap_characters: int) -> Iterator[Unit]:
    """Yield the units of blocks; a block that fits in one chunk with the headings that introduce it stays whole."""
    above: Block | None = None
    introduced_from = 0
    for block in blocks:
        boundary = _boundary_between(above, block)
        if boundary != Boundary.JOINT:
            introduced_from = block.start
        introduction = block.start - introduced_from
        room = max_characters - (introduction if introduction <= max_characters // 4 else 0)
        if block.end - block.start <= room:
            yield Unit(block.start, block.end, boundary, block, 0)
        elif block.kind is BlockKind.TABLE:
            yield from _table_units(text, block, boundary, room, max_characters // 2)
        else:
            span = (block.start, block.end, boundary)
            yield from _units_within(text, block, span, room, lead=overlap_characters)
        above = block


def _boundary_between(above: Block | None, block: Block) -> int:
    if above and above.kind is BlockKind.HEADING and not 0 < block.level <= above.level:
        return Boundary.JOINT
    return Boundary.HEADING + 6 - block.level if block.kind is BlockKind.HEADING else Boundary.BLOCK


def _table_units(text: str, table: Block, boundary: int, room: int, longest_repeated: int) -> Iterator[Unit]:
    """Yield rows, with room for what is repeated before each: the header, unless it would fill most of a chunk."""
    header = table.header_end - table.start
    rows: Span = (table.start, table.end, boundary)
    lead = 0
    if header < longest_repeated:
        yield Unit(table.start, table.header_end, boundary, table, 0)
        rows = (_trimmed_start(text, table.header_end, table.end), table.end, Boundary.JOINT)
        lead = header + 1
    for row in _cut(text, iter((rows,)), Boundary.ITEM, _LINES, room - lead):
        label = _label(text, row, longest_repeated - lead) if row[1] - row[0] > room - lead else None
        if label is None:
            yield from _units_within(text, table, row, room, lead)
        else:
            yield Unit(row[0], label, row[2], table, lead if row[0] > table.start else 0)
            rest = (_trimmed_start(text, label, row[1]), row[1], Boundary.LINE)
            wider = lead + label - row[0] + 1
            yield from (unit._replace(label=(row[0], label)) for unit in _units_within(text, table, rest, room, wider))


def _label(text: str, row: Span, longest: int) -> int | None:
    """Return where the first cell of a row ends that is to be repeated, or None if it says nothing or is too long."""
    start, end, _ = row
    cell = _FIRST_CELL.match(text, start, min(end, start + longest))
    is_label = cell is not None and cell.end() - start < longest and has_words(cell[0])
    return cell.end() if cell and is_label and _trimmed_start(text, cell.end(), end) < end else None


def _units_within(text: str, block: Block, span: Span, room: int, lead: int) -> Iterator[Unit]:
    limit = room - lead
    spans: Iterator[Span] = iter((span,))
    for strength, pattern in (*_CUTS[block.kind], (Boundary.CHARACTER, _pieces_of(limit))):
        spans = _cut(text, spans, strength, pattern, limit)
    for start, end, boundary in spans:
        yield Unit(start, end, boundary, block, lead if start > block.start else 0)


def _cut(text: str, spans: Iterator[Span], strength: int, pattern: re.Pattern[str], limit: int) -> Iterator[Span]:
    """Cut the spans above the limit into the pattern's matches, which leave out nothing but white space."""
    for start, end, boundary in spans:
        if end - start <= limit:
            yield start, end, boundary
            continue
        before = boundary
        for match in pattern.finditer(text, start, end):
            piece_start, piece_end = match.span()
            if text[piece_start].isspace():
                piece_start = _trimmed_start(text, piece_start, piece_end)
            if text[piece_end - 1] == "\n":
                piece_end -= 1
            if text[piece_end - 1].isspace():
                piece_end = trimmed_end(text, piece_start, piece_end)
            if piece_start < piece_end:
                yield piece_start, piece_end, before
                before = strength


def _trimmed_start(text: str, start: int, end: int) -> int:
    """Return where `text[start:end]` begins without its leading white space."""
    found = _WHITE_SPACE.match(text, start, end)
    return found.end() if found else start


@cache
def _pieces_of(limit: int) -> re.Pattern[str]:
    """Return a pattern of equal pieces, which are shorter if the next character combines with their last one."""
    piece = f"(?s:.{{1,{limit}}})"
    return re.compile(rf"{piece}(?<!\u200d)(?![{_COMBINING}])|{piece}")
