"""All pages that are made from the code, by their names in docs/reference."""

from collections.abc import Callable, Mapping
from pathlib import Path

from documentation.commands_page import commands_page
from documentation.errors_page import errors_page
from documentation.http_page import http_page
from documentation.metrics_page import metrics_page
from documentation.settings_page import settings_page
from documentation.sql_page import sql_page

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "commands.md": commands_page,
    "http.md": http_page,
    "metrics.md": metrics_page,
    "errors.md": errors_page,
}
SQL_PAGE = "sql.md"


def write_reference(url: str) -> None:
    """Write all pages; the URL is that of a migrated database."""
    FOLDER.mkdir(exist_ok=True)
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make())
    (FOLDER / SQL_PAGE).write_text(sql_page(url))
