"""What people read: lines and tables on stdout, messages on stderr."""

import sys
from collections.abc import Iterable, Sequence

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

from ingest_assets.domain.text.normalisation import printable

WIDE = 10_000
"""Columns of a pipe or a log, which get whole lines."""


class Terminal(Console):
    """A console that shows what documents and file names say, and obeys no markup or control sequence in it."""

    def __init__(self, *, stderr: bool = False, width: int | None = None) -> None:
        super().__init__(stderr=stderr, width=width, highlight=False, soft_wrap=True, markup=False, emoji=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else printable(text), style, control)


out = Terminal(width=None if sys.stdout.isatty() else WIDE)
messages = Terminal(stderr=True)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows in columns, which wrap on a terminal. A command must not wrap: print it on a line of its own."""
    headings = (Column(column, overflow="fold") for column in columns)
    table = Table(*headings, box=None, pad_edge=False, show_header=any(columns))
    for row in rows:
        table.add_row(*(Text("" if cell is None else _on_one_line(str(cell))) for cell in row))
    out.print(table)


def _on_one_line(text: str) -> str:
    """Return the text without line ends, so that a path that contains one does not look like two rows."""
    return text.replace("\n", " ")
