"""A sheet of any program, and its table in Markdown."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ingest_assets.adapters.parsers.sealed.refusals import RefusedError
from ingest_assets.domain.documents.warnings import WarningKind

MOST_CELLS = 5_000_000
"""Beyond this, counted with the empty ones between others, a sheet is made to exhaust its reader."""

MOST_CHARACTERS = 100_000_000
"""Of a table; cells may share one long text."""

Row = dict[int, str]


@dataclass(frozen=True, slots=True)
class Merge:
    """Cells that are shown as one, in the place of the first."""

    top: int
    bottom: int
    left: int


@dataclass(slots=True)
class Sheet:
    name: str
    is_hidden: bool = False
    rows: dict[int, Row] = field(default_factory=dict)
    """The texts by row and column, without empty ones."""
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merges: list[Merge] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    """What stands at the head of each page."""
    behind: list[str] = field(default_factory=list)
    """What stands in boxes, notes and at the foot of each page."""


def markdown(sheets: Iterable[Sheet], warnings: Counter[WarningKind]) -> str:
    """Return all sheets that are shown, and count what is hidden."""
    parts: list[str] = []
    for sheet in sheets:
        if sheet.is_hidden:
            warnings[WarningKind.HIDDEN_SHEETS] += bool(sheet.rows)
            continue
        lines = list(table_lines(_visible(sheet, warnings)))
        if lines or sheet.before or sheet.behind:
            parts += [f"## {_cell(sheet.name)}", *sheet.before, "\n".join(lines), *sheet.behind]
    return "\n\n".join(part for part in parts if part)


def _visible(sheet: Sheet, warnings: Counter[WarningKind]) -> list[Row]:
    """Return the rows without those and the columns that are hidden."""
    rows, hidden_columns = [], set()
    for number, row in _filled(sheet):
        if number in sheet.hidden_rows:
            warnings[WarningKind.HIDDEN_ROWS] += 1
            continue
        hidden_columns |= row.keys() & sheet.hidden_columns
        shown = {column: text for column, text in row.items() if column not in sheet.hidden_columns}
        if shown:
            rows.append(shown)
    warnings[WarningKind.HIDDEN_ROWS] += len(hidden_columns)
    return rows


def _filled(sheet: Sheet) -> Iterator[tuple[int, Row]]:
    """Yield the rows in order, each with the text of merged cells that reach down to it: it may be found alone."""
    merges = sorted(sheet.merges, key=lambda merge: merge.top, reverse=True)
    open_merges: dict[int, tuple[int, str]] = {}
    work = 0
    for number in sorted(sheet.rows):
        row = sheet.rows[number]
        work = _counted(work, len(open_merges))
        open_merges = {column: each for column, each in open_merges.items() if each[0] >= number}
        filled = {column: text for column, (_, text) in open_merges.items() if column not in row}
        while merges and merges[-1].top <= number:
            merge = merges.pop()
            if merge.top == number and merge.left in row:
                open_merges[merge.left] = (merge.bottom, row[merge.left])
        yield number, row | filled


def table_lines(rows: list[Row]) -> Iterator[str]:
    """Yield the lines of a table of all columns in which there is something."""
    columns = sorted({column for row in rows for column in row})
    _counted(0, len(columns) * len(rows))
    length = 0
    for at, row in enumerate(rows):
        line = f"| {' | '.join(_cell(row.get(column, '')) for column in columns)} |"
        length = _counted(length, len(line), MOST_CHARACTERS)
        yield line
        if at == 0:
            yield f"| {' | '.join('---' for _ in columns)} |"


def _counted(before: int, more: int, most: int = MOST_CELLS) -> int:
    if before + more > most:
        raise RefusedError("bomb")
    return before + more


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
