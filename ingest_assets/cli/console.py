"""What people read of the commands: lines and tables on stdout, messages on stderr."""

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

WIDE = 10_000
"""Columns where nobody watches: a pipe or a log gets whole lines."""

out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
messages = Console(stderr=True, highlight=False, soft_wrap=True)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    headings = (Column(column, overflow="fold") for column in columns)
    table = Table(*headings, box=None, pad_edge=False, show_header=any(columns))
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    out.print(table)
