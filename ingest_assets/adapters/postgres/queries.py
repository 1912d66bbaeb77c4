"""The project's SQL: named, described statements from `sql/queries/*.sql`."""

import re
from functools import cache

from ingest_assets.shipped import shipped

HEADER = re.compile(r"^-- ([a-z_]+)$", re.MULTILINE)


@cache
def queries() -> dict[str, bytes]:
    """Return every statement by its name.

    Raises:
        ValueError: A name is defined twice.
    """
    found: dict[str, bytes] = {}
    for path in sorted((shipped("sql") / "queries").glob("*.sql")):
        _, *parts = HEADER.split(path.read_text("utf-8"))
        for name, statement in zip(parts[::2], parts[1::2], strict=True):
            if name in found:
                raise ValueError(f"the query {name} is defined twice")
            found[name] = statement.strip().rstrip(";").encode()
    return found


def query(*names: str) -> bytes:
    """Return the named statements; several are sent together, which only a client-side cursor can."""
    return b";\n".join(queries()[name] for name in names)
