"""Tables that are drawn without rules, found by where the words of a page are."""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

CELL_GAP = 0.9
"""A gap of so many heights of a word parts two cells; the gaps of justified text are narrower."""
LINE_GAP = 3.0
"""Lines of one table are no further apart than so many heights."""
FEWEST_ROWS = 3
SHORT_ROW, SHORT_SHARE = 50, 0.8
"""Rows that are shorter, in characters or as shares of the page's longest line, are worth a look at where words are."""
LONGEST_PROSE_CELL = 22
"""In characters, on average. If every column has longer cells, the page has columns of text, not a table."""
LONGEST_CELL, LONGEST_OF_TWO = 40, 60
"""In characters, on average. A column with longer cells is text beside a table, or beside the numbers of its lines."""
FULLNESS = 0.6
"""The share of cells that hold something; words that happen to stand below each other leave most of them empty."""
LONGEST_NUMBERED = 25
"""In characters, on average. Longer cells beside numbers are numbered lines."""
MOST_MARGIN_LINES = 2
"""Running heads and feet: a table between them fills its page."""
MOST_WORDS = 20_000
"""Of a page; on one with more, no table is looked for."""
_LIST_MARK = re.compile(r"[•▪◦‣*·–-]|\(?(?:\d{1,3}|\w)[.)]")
_NUMBERS = re.compile(r"[\d ]{1,6}")
_SPECIAL = re.compile(r"[|\\]")


class Word(NamedTuple):
    text: str
    left: float
    top: float
    """From the top of the page downwards."""
    right: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top


class Cell(NamedTuple):
    text: str
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Line:
    words: tuple[Word, ...]
    cells: tuple[Cell, ...]
    top: float
    height: float


@dataclass(frozen=True, slots=True)
class Table:
    rows: list[list[str]]
    words: list[str]
    """In the order in which a page without columns is read."""
    columns: tuple[tuple[float, float], ...]
    is_first: bool = False
    """Whether it begins the page."""
    is_last: bool = False
    """Whether it ends the page."""

    def continues(self, before: "Table") -> bool:
        """Return whether this is the rest of a table that began on an earlier page."""
        same = len(self.columns) == len(before.columns) and all(
            left < other_right and other_left < right
            for (left, right), (other_left, other_right) in zip(self.columns, before.columns, strict=True)
        )
        return self.is_first and before.is_last and same and self.rows[0] != before.rows[0]

    def markdown(self, header: Sequence[str] | None = None) -> str:
        """Return the table as Markdown, under the header of the table that it continues if there is one."""
        rows = [list(header), *self.rows] if header else self.rows
        lines = ["| " + " | ".join(_SPECIAL.sub(r"\\\g<0>", cell) for cell in row) + " |" for row in rows]
        return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])


def may_hold_table(text: str) -> bool:
    """Return whether a few lines of a page in a row are short, as rows are; those of paragraphs are seldom so."""
    lengths = [len(line) for line in map(str.strip, text.splitlines()) if line]
    limit = max(SHORT_ROW, SHORT_SHARE * max(lengths, default=0))
    in_a_row = 0
    for length in lengths:
        in_a_row = in_a_row + 1 if length <= limit else 0
        if in_a_row == FEWEST_ROWS:
            return True
    return False


def lines_of(words: Sequence[Word]) -> list[Line]:
    """Return the lines of a page from the top, each with its words and cells from the left."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda each: (each.top + each.bottom, each.left)):
        middle = (word.top + word.bottom) / 2
        if lines and lines[-1][0].top <= middle <= lines[-1][0].bottom:
            lines[-1].append(word)
        else:
            lines.append([word])
    return [_line(sorted(line, key=lambda each: each.left)) for line in lines]


def tables_of(words: Sequence[Word]) -> list[Table]:
    """Return the tables of a page; what is a list, a column of text or a line with a gap is none."""
    if len(words) > MOST_WORDS:
        return []
    lines = lines_of(words)
    tables = []
    for first, last in _groups(lines):
        table = _table(
            lines[first:last], is_first=first <= MOST_MARGIN_LINES, is_last=last >= len(lines) - MOST_MARGIN_LINES
        )
        if table is not None:
            tables.append(table)
    return tables


def _line(words: list[Word]) -> Line:
    height = max(word.height for word in words)
    parts: list[list[Word]] = [[words[0]]]
    for before, word in itertools.pairwise(words):
        if word.left - before.right > CELL_GAP * height:
            parts.append([])
        parts[-1].append(word)
    cells = tuple(Cell(" ".join(word.text for word in part), part[0].left, part[-1].right) for part in parts)
    return Line(tuple(words), cells, min(word.top for word in words), height)


@dataclass(slots=True)
class _Columns:
    """The columns of the lines so far; each grows with its cells, and they stay apart."""

    spans: list[tuple[float, float]] = field(default_factory=list)

    def take(self, cells: Sequence[Cell]) -> bool:
        """Take in the cells of a line, unless one of them lies across two columns or two of them in one."""
        spans = list(self.spans)
        taken: set[int] = set()
        for cell in cells:
            touched = [at for at, (left, right) in enumerate(spans) if cell.left < right and left < cell.right]
            if len(touched) > 1 or (touched and touched[0] in taken):
                return False
            if touched:
                left, right = spans[touched[0]]
                spans[touched[0]] = (min(left, cell.left), max(right, cell.right))
                taken.add(touched[0])
            else:
                spans.append((cell.left, cell.right))
                taken.add(len(spans) - 1)
        ordered = sorted(spans)
        if any(right > left for (_, right), (left, _) in itertools.pairwise(ordered)):
            return False
        self.spans = spans
        return True


def _groups(lines: Sequence[Line]) -> Iterator[tuple[int, int]]:
    """Yield the first line of each group that may be a table, and the line after it."""
    first = 0
    while first < len(lines):
        if len(lines[first].cells) < 2:  # noqa: PLR2004
            first += 1
            continue
        columns, last = _Columns(), first
        while last < len(lines) and _is_near(lines, first, last) and columns.take(lines[last].cells):
            last += 1
        while last > first and len(lines[last - 1].cells) < 2:  # noqa: PLR2004  what follows a table is none of it
            last -= 1
        yield first, last
        first = max(last, first + 1)


def _is_near(lines: Sequence[Line], first: int, at: int) -> bool:
    if at == first:
        return True
    return lines[at].top - lines[at - 1].top <= LINE_GAP * max(lines[at].height, lines[at - 1].height)


def _table(lines: Sequence[Line], *, is_first: bool, is_last: bool) -> Table | None:
    full = [line for line in lines if len(line.cells) > 1]
    if len(full) < FEWEST_ROWS or 2 * len(full) < len(lines):
        return None
    columns = _Columns()
    for line in lines:
        columns.take(line.cells)
    spans = sorted(columns.spans)
    rows: list[list[str]] = []
    for line in lines:
        row = [""] * len(spans)
        for cell in line.cells:
            row[next(at for at, (left, right) in enumerate(spans) if left <= cell.left < right)] = cell.text
        if rows and not row[0] and len(line.cells) == 1:  # a cell that takes more than one line
            rows[-1] = [" ".join(filter(None, pair)) for pair in zip(rows[-1], row, strict=True)]
        else:
            rows.append(row)
    if _is_prose(rows) or len(rows) < FEWEST_ROWS:
        return None
    words = [word.text for line in lines for word in line.words]
    return Table(rows, words, tuple(spans), is_first, is_last)


def _is_prose(rows: Sequence[Sequence[str]]) -> bool:
    columns = [[cell for cell in column if cell] for column in zip(*rows, strict=True)]
    if sum(map(len, columns)) < FULLNESS * len(columns) * len(rows):
        return True
    lengths = [sum(map(len, column)) / len(column) for column in columns]
    longest = LONGEST_OF_TWO if len(columns) == 2 else LONGEST_CELL  # noqa: PLR2004
    if min(lengths) >= LONGEST_PROSE_CELL or max(lengths) > longest:
        return True
    if len(columns) > 2:  # noqa: PLR2004
        return False
    marks = sum(_LIST_MARK.fullmatch(cell) is not None for cell in columns[0])
    is_numbered = any(all(map(_NUMBERS.fullmatch, column)) for column in columns)
    return 2 * marks > len(columns[0]) or (is_numbered and max(lengths) > LONGEST_NUMBERED)
