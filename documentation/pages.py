"""What the pages that are made from the code have in common."""

from collections.abc import Iterable, Sequence

NOTICE = "<!-- Made from the code by `make docs`. Change the code, not this page. -->"


def page(title: str, introduction: str, body: Iterable[str]) -> str:
    """Return a whole page."""
    return "\n\n".join([NOTICE, f"# {title}", introduction, *body]) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; what stands in a cell cannot end it."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(map(_in_a_cell, line))} |" for line in lines)


def code(text: str) -> str:
    return f"`{text}`" if text else ""


def on_one_line(text: str) -> str:
    return " ".join(text.split())


def _in_a_cell(text: str) -> str:
    return on_one_line(text).replace("|", "\\|")
