"""Markdown as a flat sequence of blocks, read line by line: few lines are held, and none is read more than twice."""

import re
from collections.abc import Callable, Iterator
from enum import Enum
from functools import partial
from itertools import chain, pairwise
from typing import NamedTuple

HEADING_CHARACTERS = 200
"""The longest heading in a heading path, so that a line of megabytes is not repeated in every chunk."""

LINES_AT_ONCE = 1 << 16
"""How many characters are cut into lines at once."""

TRIMMED_AT_ONCE = 256

_HEADING = re.compile(r" {0,3}(#{1,6})(?=\s|$)")
_CLOSING_HASHES = re.compile(r"(?:^|\s)#+$")
_UNDERLINE = re.compile(r" {0,3}(={2,}|-{2,})\s*$")
_FENCE = re.compile(r"\s*(`{3,}(?=[^`]*$)|~{3,})")
_LIST_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])(?=\s|$)")
_RULE = re.compile(r"\s*+([-*_])(?:\s*+\1){2,}+\s*+")
_OPENING_CHARACTERS = frozenset("#`~-*_+0123456789")


class BlockKind(Enum):
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST = "list"
    TABLE = "table"
    FENCE = "fence"
    RULE = "rule"


class Block(NamedTuple):
    kind: BlockKind
    start: int
    end: int
    """`text[start:end]` neither begins nor ends with white space."""
    heading_path: tuple[str, ...]
    """The headings that the block stands under, outermost first; a heading stands under itself."""
    level: int = 0
    """The level of a heading, from 1."""
    header_end: int = 0
    """The end of a table's header and delimiter rows."""


class _Line(NamedTuple):
    start: int
    """The offset into the text."""
    text: str
    following: str | None
    """The text of the next line; None at the end."""

    @property
    def end(self) -> int:
        return self.start + len(self.text)


_made: Callable[[tuple[int, str, str | None]], _Line] = partial(tuple.__new__, _Line)
"""Makes a line in a third of the time that its class takes."""

_Place = tuple[int, _Line | None]
"""Where the last line of a block ends, and the line after the block."""


def scan_blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of CommonMark and GitHub's tables, without nesting: a list or a quotation is one block.

    A fence may be indented by any amount, as in list items. It runs to the end of the text if nothing closes it.
    """
    sections: list[tuple[int, str]] = []
    heading_path: tuple[str, ...] = ()
    lines = _lines(text)
    line = next(lines, None)
    while line is not None:
        if not line.text or line.text.isspace():
            line = next(lines, None)
            continue
        start = line.start + len(line.text) - len(line.text.lstrip())
        kind = _opened_by(line) or (BlockKind.HEADING if _is_underlined(line) else BlockKind.PARAGRAPH)
        level = header_end = 0
        if kind is BlockKind.HEADING:
            level = _enter_section(sections, line)
            heading_path = tuple(title for _, title in sections if title)
        elif kind is BlockKind.TABLE:
            header_end = trimmed_end(text, start, line.end + 1 + len(line.following or ""))
        end, line = _after_block(kind, lines, line)
        yield Block(kind, start, trimmed_end(text, start, end), heading_path, level, header_end)


def trimmed_end(text: str, start: int, end: int) -> int:
    """Return where `text[start:end]` ends without its trailing white space."""
    while end > start:
        tail = text[max(start, end - TRIMMED_AT_ONCE) : end]
        if kept := len(tail.rstrip()):
            return end - len(tail) + kept
        end -= len(tail)
    return start


def _lines(text: str) -> Iterator[_Line]:
    start = 0
    every_line = chain.from_iterable(_line_texts(text))
    for line, following in pairwise(chain(every_line, (None,))):
        if line is not None:
            yield _made((start, line, following))
            start += len(line) + 1


def _line_texts(text: str) -> Iterator[list[str]]:
    start = 0
    while (end := text.find("\n", start + LINES_AT_ONCE)) >= 0:
        yield text[start:end].split("\n")
        start = end + 1
    yield text[start:].split("\n")


def _after_block(kind: BlockKind, lines: Iterator[_Line], first: _Line) -> _Place:
    if kind is BlockKind.PARAGRAPH:
        return _after_paragraph(lines, first)
    if kind is BlockKind.LIST:
        return _after_list(lines, first)
    if kind is BlockKind.TABLE:
        return _after_table(lines, first)
    if kind is BlockKind.FENCE:
        return _after_fence(lines, first)
    is_underlined = kind is BlockKind.HEADING and not _HEADING.match(first.text)
    return (next(lines, first) if is_underlined else first).end, next(lines, None)


def _opened_by(line: _Line) -> BlockKind | None:
    """Return the kind of block that this line begins even within a paragraph, or None if it may continue one."""
    _, text, following = line
    if text.lstrip()[:1] in _OPENING_CHARACTERS:
        if _HEADING.match(text):
            return BlockKind.HEADING
        if _FENCE.match(text):
            return BlockKind.FENCE
        if _RULE.fullmatch(text):
            return BlockKind.RULE
        if _LIST_ITEM.match(text):
            return BlockKind.LIST
    if "|" in text and following is not None and _is_delimiter_row(following):
        return BlockKind.TABLE
    return None


def _after_paragraph(lines: Iterator[_Line], first: _Line) -> _Place:
    end = first.end
    for line in lines:
        start, text, _ = line
        if not text or text.isspace() or _opened_by(line) is not None:
            return end, line
        end = start + len(text)
    return end, None


def _after_list(lines: Iterator[_Line], first: _Line) -> _Place:
    end, is_next = first.end, True
    for line in lines:
        if not line.text or line.text.isspace():
            is_next = False
            continue
        opened = _opened_by(line)
        continues = is_next or line.text[0].isspace()
        if opened is not BlockKind.LIST and not (opened is None and continues):
            return end, line
        end, is_next = line.end, True
    return end, None


def _after_table(lines: Iterator[_Line], first: _Line) -> _Place:
    end = next(lines, first).end
    for line in lines:
        if "|" not in line.text or _opened_by(line) in (BlockKind.HEADING, BlockKind.FENCE):
            return end, line
        end = line.end
    return end, None


def _after_fence(lines: Iterator[_Line], first: _Line) -> _Place:
    opening = _FENCE.match(first.text)
    marker = opening.group(1) if opening else ""
    end = first.end
    for line in lines:
        end = line.end
        text = line.text.strip()
        if text.startswith(marker) and not text.strip(marker[0]):
            return end, next(lines, None)
    return end, None


def _enter_section(sections: list[tuple[int, str]], heading: _Line) -> int:
    """Leave the sections that this heading ends, enter its own and return its level."""
    hashes = _HEADING.match(heading.text)
    level = len(hashes.group(1)) if hashes else 1 + ("-" in (heading.following or ""))
    while sections and sections[-1][0] >= level:
        sections.pop()
    words = heading.text[hashes.end() if hashes else 0 :].strip()[:HEADING_CHARACTERS]
    sections.append((level, _CLOSING_HASHES.sub("", words).strip("* \t")))
    return level


def _is_underlined(line: _Line) -> bool:
    if line.following is None or _UNDERLINE.match(line.following) is None:
        return False
    return not line.text.lstrip().startswith(">")


def _is_delimiter_row(line: str) -> bool:
    return "|" in line and "-" in line and not line.strip("|-: \t\r")
