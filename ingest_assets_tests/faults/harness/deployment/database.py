"""The deployment's database, as an onlooker sees it: by its socket, without keeping the server alive."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import Connection
from psycopg.rows import DictRow, dict_row

from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres

ONLOOKER = "fault harness"
"""The name of its connections, so that the harness spares them."""
PATIENCE_SECONDS = 90
POLL_SECONDS = 0.2


class Onlooker:
    """Asks the database as its superuser; for a while it asks again where the server does not answer."""

    def __init__(self, home: Path) -> None:
        self._server = EmbeddedPostgres(home)
        self._connections = threading.local()

    def url(self, database: str = "ingest") -> str:
        return f"{self._server.url(database)}&application_name={ONLOOKER.replace(' ', '%20')}"

    @contextmanager
    def connection(self, database: str = "ingest") -> Iterator[Connection[DictRow]]:
        """Yield a new connection in autocommit."""
        with psycopg.connect(self.url(database), autocommit=True, row_factory=dict_row, connect_timeout=5) as opened:
            yield opened

    def try_rows(self, statement: LiteralString, *, database: str = "ingest", **names: Any) -> list[DictRow]:
        """Return the rows.

        Raises:
            OperationalError: The server does not answer.
        """
        kept = vars(self._connections)
        try:
            if database not in kept or kept[database].broken or kept[database].closed:
                kept[database] = psycopg.connect(
                    self.url(database), autocommit=True, row_factory=dict_row, connect_timeout=5
                )
            rows: list[DictRow] = kept[database].execute(statement, names or None).fetchall()
        except psycopg.Error:
            kept.pop(database, None)
            raise
        return rows

    def rows(self, statement: LiteralString, *, database: str = "ingest", **names: Any) -> list[DictRow]:
        """Return the rows as soon as the server gives them.

        Raises:
            OperationalError: It did not do so in time.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self.try_rows(statement, database=database, **names)
            except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
                if time.monotonic() > deadline:
                    raise
                time.sleep(POLL_SECONDS)

    def value(self, statement: LiteralString, **names: Any) -> Any:
        [row] = self.rows(statement, **names)
        [value] = row.values()
        return value
