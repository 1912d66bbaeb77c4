"""Show how far long work has come, on a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ingest_assets.cli.console import messages
from ingest_assets.pipeline.telling import Tell


@contextmanager
def shown_progress() -> Iterator[Tell]:
    """Yield what hears of each step: its name, how much of it is done, and of how much, if that is known."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=messages, transient=True, disable=not messages.is_terminal) as progress:
        task = progress.add_task("", total=None)

        def tell(step: str, done: int, total: int) -> None:
            progress.update(task, description=step, completed=done, total=total or None)

        yield tell
