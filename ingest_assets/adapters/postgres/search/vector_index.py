"""HNSW indexes over stored vectors, one per embedding model, built and dropped while others read and write."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256

import psycopg
from psycopg import sql

from ingest_assets.adapters.postgres.connections import UNLIMITED_LOCKS, KeepingConnection, act_as_owner
from ingest_assets.adapters.postgres.database import connected
from ingest_assets.adapters.postgres.locks import VECTOR_INDEXES, Assure, held_if_free
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents.document import Producer
from ingest_assets.domain.search.index_policy import IndexAction, IndexKind, IndexPolicy, IndexState

BUILDS = {IndexKind.BITS: "build_bits_index", IndexKind.HALFVEC: "build_halfvec_index"}

KILOBYTES_PER_ROW = {IndexKind.BITS: 1.5, IndexKind.HALFVEC: 4}
"""Memory that a graph takes while it is built (measured: 1.3 and 3.8)."""
MOST_KILOBYTES = 1024 * 1024
"""The most memory that a build is given."""
WITHOUT_HELPERS = {"max_parallel_maintenance_workers": "0"}
"""Helpers of a build need shared memory, of which a container may have little."""


class PostgresVectorIndex:
    """Build and drop indexes as ingest_owner; `url` logs in as that role, or as one that may act as it."""

    def __init__(self, url: str, policy: IndexPolicy) -> None:
        self._url = url
        self._policy = policy

    def state(self, model: Producer) -> IndexState | None:
        with self._sole_right() as right:
            return None if right is None else _state(right[0], model, self._name(model))

    def keep(self, model: Producer, decide: Callable[[IndexState], IndexAction]) -> IndexAction | None:
        with self._sole_right() as right:
            if right is None:
                return None
            connection, assure_right = right
            name = self._name(model)
            self._drop_stale(connection, model)
            state = _state(connection, model, name)
            action = decide(state)
            assure_right()
            if action is IndexAction.BUILD:
                _build(connection, model, self._policy.kind_of(model), state.rows)
            elif action is IndexAction.DROP:
                _drop(connection, name)
            return action

    def _name(self, model: Producer) -> str:
        return index_name(model, self._policy.kind_of(model))

    def _drop_stale(self, connection: KeepingConnection, model: Producer) -> None:
        """Drop what an interrupted build or removal left, and indexes of models without vectors but the present one."""
        models = {Producer(**row) for row in connection.execute(query("embedding_models"))} | {model}
        wanted = {self._name(each) for each in models}
        for name, whole in _indexes(connection).items():
            if not whole or name not in wanted:
                _drop(connection, name)

    @contextmanager
    def _sole_right(self) -> Iterator[tuple[KeepingConnection, Assure] | None]:
        """Yield a session that alone may change indexes, and what assures that it still may, or None.

        It is None where another session holds the right, or where this login may not have it.
        """
        with connected(self._url) as connection:
            if not _becomes_owner(connection):
                yield None
                return
            with held_if_free(self._url, VECTOR_INDEXES) as assure_right:
                connection.keep(UNLIMITED_LOCKS)
                yield (connection, assure_right) if assure_right else None


def _becomes_owner(connection: KeepingConnection) -> bool:
    try:
        return act_as_owner(connection)
    except psycopg.errors.InsufficientPrivilege:
        return False


def index_name(model: Producer, kind: IndexKind) -> str:
    model_sha = sha256(f"{model.name}\0{model.version}".encode()).hexdigest()
    return f"document_chunks_nearest_{kind}_{model_sha[:12]}"


def _state(connection: KeepingConnection, model: Producer, name: str) -> IndexState:
    names = {"embed_model": model.name, "embed_version": model.version}
    [vectors] = connection.execute(query("vector_counts"), names)
    [load] = connection.execute(query("load_ahead"))
    return IndexState(
        exists=_indexes(connection).get(name, False),
        rows=vectors["rows"],
        most=vectors["most"],
        waiting=round(load["documents"] * load["chunks_per_document"]),
        loading=load["loading"],
    )


def _indexes(connection: KeepingConnection) -> dict[str, bool]:
    """Return whether each index is complete, by its name."""
    return {row["name"]: row["whole"] for row in connection.execute(query("vector_indexes"))}


def _drop(connection: KeepingConnection, name: str) -> None:
    connection.execute_alone(_template("drop_vector_index").format(name=sql.Identifier(name)))


def _build(connection: KeepingConnection, model: Producer, kind: IndexKind, rows: int) -> None:
    name = index_name(model, kind)
    statement = _template(BUILDS[kind]).format(
        name=sql.Identifier(name),
        vectors=sql.Identifier(connection.search_path["search_path"]),
        embed_model=sql.Literal(model.name),
        embed_version=sql.Literal(model.version),
    )
    kilobytes = min(round(rows * KILOBYTES_PER_ROW[kind]), MOST_KILOBYTES)
    [memory] = connection.execute(query("build_memory"), {"kilobytes": kilobytes})
    connection.keep({"maintenance_work_mem": memory["setting"]})
    try:
        connection.execute_alone(statement)
    except (psycopg.errors.DiskFull, psycopg.errors.OutOfMemory):
        _drop(connection, name)
        connection.keep(WITHOUT_HELPERS)
        connection.execute_alone(statement)
    if kind is IndexKind.HALFVEC:  # over an expression; the other is over a column, which keeps none
        connection.execute(_template("keep_no_statistics").format(name=sql.Identifier(name)))


def _template(name: str) -> sql.SQL:
    return sql.SQL(query(name).decode())
