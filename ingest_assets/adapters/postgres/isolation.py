"""Whether the server keeps users' rows apart for the login of the pipeline."""

from typing import NamedTuple

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query


class Isolation(NamedTuple):
    login: str
    bypasses: bool
    """Whether the login, without its role, is above row-level security."""
    unprotected: list[str]
    """Tables with users' rows that are not kept apart."""


def isolation_of(database: Database) -> Isolation:
    """Return how well the server keeps users' rows apart.

    Raises:
        OutageError: database_unreachable, schema_outdated or role_denied.
        ResourceError: schema_newer.
    """
    with database.connection() as connection:
        [row] = connection.execute(query("login"))
        tables = connection.execute(query("unprotected_tables")).fetchall()
    return Isolation(row["login"], row["bypasses"], [table["name"] for table in tables])
