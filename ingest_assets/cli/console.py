"""What people read: lines and tables on stdout, messages on stderr."""

import logging
import sys
from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from ingest_assets.domain.text.normalisation import printable
from ingest_assets.posix.log_lines import is_json

GAP = "  "
INDENT = "    "
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


def tell(text: str) -> None:
    """Say what a command that runs all the time does: to a person or, in its log, to whatever collects that."""
    if is_json():
        logging.getLogger("ingest_assets.cli").info("%s", text)
    else:
        messages.print(text)


def print_command(purpose: str, command: str) -> None:
    """Print what a command is for, and the command: behind it or, if they do not fit on one line, on its own line."""
    together = f"{purpose}: {command}"
    for line in [together] if cell_len(together) <= out.width else [f"{purpose}:", command]:
        out.print(line)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows in columns if they fit, or else each row over several lines, between its cells.

    So no id, code or command is ever broken.
    """
    cells = [[_on_one_line("" if cell is None else str(cell)) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(columns, *cells, strict=True)]
    if sum(widths) + len(GAP) * (len(widths) - 1) > out.width:
        for row in cells:
            for line in _folded(row, out.width):
                out.print(line)
        return
    for row in [list(columns), *cells] if any(columns) else cells:
        padded = (set_cell_size(cell, width) for cell, width in zip(row, widths, strict=True))
        out.print(GAP.join(padded).rstrip())


def _folded(cells: Sequence[str], width: int) -> Iterator[str]:
    """Give the lines of a row, each with as many whole cells as fit; all but the first are indented."""
    line = ""
    for cell in filter(None, cells):
        if line.strip() and cell_len(line) + len(GAP) + cell_len(cell) > width:
            yield line
            line = INDENT + cell
        else:
            line += (GAP if line.strip() else "") + cell
    yield line


def _on_one_line(text: str) -> str:
    """Return the text without line ends, so that a path that contains one does not look like two rows."""
    return printable(text.replace("\n", " "))
