"""Markdown as a flat sequence of blocks, read line by line: no line is looked at more than a few times."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

HEADING_CHARACTERS = 200
"""A heading is cut to this in a heading path, so that a line of megabytes is not repeated in every chunk."""

_HEADING = re.compile(r" {0,3}(#{1,6})(?=\s|$)")
_CLOSING_HASHES = re.compile(r"(?:^|\s)#+$")
_UNDERLINE = re.compile(r" {0,3}(={2,}|-{2,})\s*$")
_FENCE = re.compile(r"\s*(`{3,}(?=[^`]*$)|~{3,})")
_LIST_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])(?=\s|$)")
_OPENING_CHARACTERS = frozenset("#`~-*_+0123456789")


class BlockKind(Enum):
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST = "list"
    TABLE = "table"
    FENCE = "fence"
    RULE = "rule"


@dataclass(frozen=True, slots=True)
class Block:
    kind: BlockKind
    start: int
    end: int
    """`text[start:end]` begins and ends with other than white space."""
    heading_path: tuple[str, ...]
    """The headings it stands under, outermost first; a heading stands under itself."""
    level: int = 0
    """Of a heading, from 1."""
    header_end: int = 0
    """Of a table: where its header and delimiter rows end."""


def scan_blocks(text: str) -> Iterator[Block]:
    """The blocks of CommonMark and GitHub's tables, without nesting: a list or a quotation is one block.

    A fence may be indented by any amount, as in list items, and runs to the end of the text where nothing closes it.
    """
    lines = text.split("\n")
    sections: list[tuple[int, str]] = []
    heading_path: tuple[str, ...] = ()
    first = offset = 0
    while first < len(lines):
        after, level, header_end = first + 1, 0, 0
        if not _is_blank(lines[first]):
            kind, after = _block_at(lines, first)
            if kind is BlockKind.HEADING:
                level = _enter_section(sections, lines[first], lines[after - 1])
                heading_path = tuple(title for _, title in sections if title)
            elif kind is BlockKind.TABLE:
                header_end = offset + _length(lines, first, first + 2)
            start = offset + len(lines[first]) - len(lines[first].lstrip())
            yield Block(kind, start, offset + _length(lines, first, after), heading_path, level, header_end)
        offset += sum(map(len, lines[first:after])) + after - first
        first = after


def _block_at(lines: Sequence[str], first: int) -> tuple[BlockKind, int]:
    """The kind of the block that begins with this line, and the number of the line after it."""
    kind = _opened_by(lines, first)
    if kind is BlockKind.FENCE:
        return kind, _after_fence(lines, first)
    if kind is BlockKind.TABLE:
        return kind, _after_table(lines, first)
    if kind is BlockKind.LIST:
        return kind, _after_list(lines, first)
    if kind is not None:
        return kind, first + 1
    if _is_underlined(lines, first):
        return BlockKind.HEADING, first + 2
    return BlockKind.PARAGRAPH, _after_paragraph(lines, first)


def _opened_by(lines: Sequence[str], number: int) -> BlockKind | None:
    """What this line begins even in the middle of a paragraph; None where it may continue one."""
    line = lines[number]
    if line.lstrip()[:1] in _OPENING_CHARACTERS:
        if _HEADING.match(line):
            return BlockKind.HEADING
        if _FENCE.match(line):
            return BlockKind.FENCE
        if _is_rule(line):
            return BlockKind.RULE
        if _LIST_ITEM.match(line):
            return BlockKind.LIST
    if "|" in line and number + 1 < len(lines) and _is_delimiter_row(lines[number + 1]):
        return BlockKind.TABLE
    return None


def _after_paragraph(lines: Sequence[str], first: int) -> int:
    number = first + 1
    while number < len(lines) and not _is_blank(lines[number]) and _opened_by(lines, number) is None:
        number += 1
    return number


def _after_list(lines: Sequence[str], first: int) -> int:
    after = first + 1
    for number in range(first + 1, len(lines)):
        if _is_blank(lines[number]):
            continue
        opened = _opened_by(lines, number)
        continues = number == after or lines[number][0].isspace()
        if opened is not BlockKind.LIST and not (opened is None and continues):
            break
        after = number + 1
    return after


def _after_table(lines: Sequence[str], first: int) -> int:
    number = first + 2
    while number < len(lines) and "|" in lines[number]:
        if _opened_by(lines, number) in (BlockKind.HEADING, BlockKind.FENCE):
            break
        number += 1
    return number


def _after_fence(lines: Sequence[str], first: int) -> int:
    opening = _FENCE.match(lines[first])
    marker = opening.group(1) if opening else ""
    for number in range(first + 1, len(lines)):
        line = lines[number].strip()
        if line.startswith(marker) and not line.strip(marker[0]):
            return number + 1
    return len(lines)


def _enter_section(sections: list[tuple[int, str]], first: str, last: str) -> int:
    """Leaves the sections that this heading ends and enters its own; its level."""
    hashes = _HEADING.match(first)
    level = len(hashes.group(1)) if hashes else 1 + ("-" in last)
    while sections and sections[-1][0] >= level:
        sections.pop()
    words = first[hashes.end() if hashes else 0 :].strip()[:HEADING_CHARACTERS]
    sections.append((level, _CLOSING_HASHES.sub("", words).strip("* \t")))
    return level


def _is_blank(line: str) -> bool:
    return not line or line.isspace()


def _is_underlined(lines: Sequence[str], number: int) -> bool:
    quoted = lines[number].lstrip().startswith(">")
    return not quoted and number + 1 < len(lines) and _UNDERLINE.match(lines[number + 1]) is not None


def _is_rule(line: str) -> bool:
    marks = "".join(line.split())
    return marks[:3] in ("---", "***", "___") and not marks.strip(marks[0])


def _is_delimiter_row(line: str) -> bool:
    return "|" in line and "-" in line and not line.strip("|-: \t\r")


def _length(lines: Sequence[str], first: int, after: int) -> int:
    """Of these lines joined, without the white space that ends them."""
    while _is_blank(lines[after - 1]):
        after -= 1
    return sum(map(len, lines[first : after - 1])) + after - 1 - first + len(lines[after - 1].rstrip())
