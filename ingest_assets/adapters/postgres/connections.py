"""Connections that keep their settings behind a pooler too."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from psycopg import ClientCursor, Connection, Cursor, Transaction, sql
from psycopg.abc import Params, QueryNoTemplate
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow

from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.roles import Role

Row = DictRow

OWNER = {"role": Role.OWNER.value}
WORKER = {"role": Role.WORKER.value, "hnsw.iterative_scan": "relaxed_order", "hnsw.ef_search": "400"}
"""The rights that the pipeline needs, and how it searches HNSW indexes."""
UNLIMITED_LOCKS = {"lock_timeout": "0"}
"""For what holds up nobody while it waits, such as building an index concurrently."""


class KeepingConnection(Connection[Row]):
    """A connection with settings that last as long as it is open.

    A pooler may serve each transaction by another session of the server, and let other clients have the session in
    between. So behind one, settings are made anew in each transaction and end with it, and no statement is prepared.
    """

    is_pooled = False
    """Whether a pooler stands between this client and the server, as far as `look_around` has found one."""
    search_path: Mapping[str, str] = {}
    """The setting by which pgvector's types are found, wherever they are; whatever else there is, is named in full."""
    _kept: Mapping[str, str] = {}
    _opening = b""
    """What each transaction has to begin with: nothing where the session keeps the settings."""

    def look_around(self) -> None:
        """Find out where pgvector is, and whether a pooler stands between.

        A pooler tells clients numbers of its own, not the server's processes.
        """
        [row] = self.execute(query("surroundings"))
        self.is_pooled = row["pid"] != self.info.backend_pid
        if self.is_pooled:
            self.prepare_threshold = None
        if row["vectors_in"] is not None:
            self.search_path = {"search_path": row["vectors_in"]}

    def keep(self, settings: Mapping[str, str]) -> None:
        """Make settings that hold for all statements from now on, but for those executed alone behind a pooler."""
        if not self.is_pooled:
            self.execute(_statements("SET {} TO {}", settings))
            return
        before = self._kept
        self._open_with({**before, **settings})
        try:
            with self.transaction():
                return
        except Exception:
            self._open_with(before)
            raise

    def begin(self, names: Mapping[str, str], begin: str, *others: str) -> None:
        """Begin a transaction, in one message with named queries that follow the settings that are kept."""
        beginning = filter(None, [query(begin), self._opening, query(*others)])
        ClientCursor(self).execute(b";\n".join(beginning), names)

    def execute(  # type: ignore[override]  # no templates
        self, query: QueryNoTemplate, params: Params | None = None, *, prepare: bool | None = None, binary: bool = False
    ) -> Cursor[Row]:
        """Execute a statement with the settings that are kept."""
        if self._opening and self.info.transaction_status is TransactionStatus.IDLE:
            if self.autocommit:
                with self.transaction():
                    return super().execute(query, params, prepare=prepare, binary=binary)
            super().execute(self._opening)
        return super().execute(query, params, prepare=prepare, binary=binary)

    def execute_alone(self, statement: QueryNoTemplate) -> Cursor[Row]:
        """Execute a statement that no transaction may hold, such as one that builds an index concurrently.

        Behind a pooler, it gets none of the settings that are kept.
        """
        return super().execute(statement)

    @contextmanager
    def transaction(
        self,
        savepoint_name: str | None = None,
        force_rollback: bool = False,  # noqa: FBT001, FBT002  as overridden
    ) -> Iterator[Transaction]:
        """Begin a transaction with the settings that are kept, or a savepoint within one."""
        is_outermost = self.info.transaction_status is TransactionStatus.IDLE
        with super().transaction(savepoint_name, force_rollback) as transaction:
            if is_outermost and self._opening:
                super().execute(self._opening)
            yield transaction

    def _open_with(self, settings: Mapping[str, str]) -> None:
        self._kept = settings
        self._opening = _statements("SET LOCAL {} TO {}", settings).as_bytes(self)


def act_as_owner(connection: KeepingConnection, *, for_transaction: bool = False) -> bool:
    """Become the owner of the schema that sql/roles.sql names, if it has this owner, and return whether it has."""
    [schema] = connection.execute(query("has_owner"))
    if schema["found"] and for_transaction:
        connection.execute(_statements("SET LOCAL {} TO {}", OWNER))
    elif schema["found"]:
        connection.keep(OWNER)
    return bool(schema["found"])


def _statements(template: str, settings: Mapping[str, str]) -> sql.Composed:
    each = (
        sql.SQL(template).format(sql.Identifier(*name.split(".")), sql.Literal(value))
        for name, value in settings.items()
    )
    return sql.SQL("; ").join(each)
