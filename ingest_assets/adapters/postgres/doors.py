"""What a reader may do besides reading, because the server allows it to PUBLIC: found in the catalogue, and ended."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import psycopg
from psycopg import Connection, sql

from ingest_assets.adapters.postgres.connections import Row
from ingest_assets.adapters.postgres.queries import query

MADE_MEANWHILE = (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation, psycopg.errors.InternalError_)
"""What a statement about a database meets if another process does the same at this moment."""

Doors = Literal["open_doors", "open_entrances"]
"""Those of the pipeline's database, or those of one in which readers have no business."""


@dataclass(frozen=True, slots=True)
class Door:
    """What a reader may do that it should not, and the statement that ends it."""

    door: str
    closing: str


def open_doors(connection: Connection[Row], doors: Doors = "open_doors") -> list[Door]:
    return [Door(**row) for row in connection.execute(query(doors))]


def close_doors(connection: Connection[Row], doors: Doors = "open_doors") -> None:
    """End it as far as the login may: what belongs to the server, only a superuser may end."""
    for each in open_doors(connection, doors):
        # Others may do the same at this moment.
        with suppress(psycopg.errors.InsufficientPrivilege, *MADE_MEANWHILE):
            connection.execute(sql.SQL(each.closing))
