"""The project's SQL: named, described statements from `sql/queries/*.sql`."""

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

HEADER = re.compile(r"^-- ([a-z_]+)$", re.MULTILINE)


@cache
def sql_folder() -> Path:
    """`sql/` of the checkout, or the copy that the wheel carries inside the package."""
    package = Path(str(files("ingest_assets")))
    packaged = package / "sql"
    return packaged if packaged.is_dir() else package.parent / "sql"


@cache
def queries() -> dict[str, bytes]:
    """Every statement by its name; a name stands once."""
    found: dict[str, bytes] = {}
    for path in sorted((sql_folder() / "queries").glob("*.sql")):
        _, *parts = HEADER.split(path.read_text("utf-8"))
        for name, statement in zip(parts[::2], parts[1::2], strict=True):
            if name in found:
                raise ValueError(f"the query {name} is defined twice")
            found[name] = statement.strip().rstrip(";").encode()
    return found


def query(name: str) -> bytes:
    return queries()[name]
