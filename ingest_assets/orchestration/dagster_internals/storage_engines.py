"""The connections of Dagster's Postgres storage.

This module replaces the private `_engine` of the three storages in a `DagsterPostgresStorage`, and `dispose` of the run
storage. Dagster's own engines open a connection for each statement, and cannot be configured.
"""

from collections.abc import Callable

from dagster_postgres import DagsterPostgresStorage
from sqlalchemy.engine import Engine


def share_engine(storage: DagsterPostgresStorage, engine: Engine, dispose: Callable[[], None]) -> None:
    """Make all parts of the storage use the engine, and call `dispose` when the instance is disposed of."""
    for part in (storage._run_storage, storage._event_log_storage, storage._schedule_storage):  # noqa: SLF001  see above
        part._engine = engine  # noqa: SLF001  see above
    storage._run_storage.dispose = dispose  # type: ignore[method-assign]  # noqa: SLF001  see above
