"""Show something until Ctrl-C, as it changes."""

import time
from collections.abc import Callable, Sequence

from rich.live import Live
from rich.text import Text

from ingest_assets.cli.console import out
from ingest_assets.cli.waiting import pause_after
from ingest_assets.domain.text.normalisation import printable

POLL_SECONDS = 2.0


def watch(look: Callable[[], Sequence[str]]) -> None:
    """Keep showing what `look` returns: in place on a terminal, and elsewhere each time that it has changed."""
    try:
        if out.is_terminal:
            _in_place(look)
        else:
            _line_by_line(look)
    except KeyboardInterrupt:
        return


def _in_place(look: Callable[[], Sequence[str]]) -> None:
    with Live(console=out, auto_refresh=False) as shown:
        while True:
            began = time.monotonic()
            shown.update(Text("\n".join(map(printable, look()))), refresh=True)
            time.sleep(max(POLL_SECONDS, pause_after(time.monotonic() - began)))


def _line_by_line(look: Callable[[], Sequence[str]]) -> None:
    before: Sequence[str] = ()
    while True:
        lines = look()
        for line in lines if lines != before else ():
            out.print(line)
        before = lines
        time.sleep(POLL_SECONDS)
