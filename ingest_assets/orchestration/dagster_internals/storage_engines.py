"""The connections of Dagster's Postgres storage.

This module replaces the private `_engine` of the three storages in a `DagsterPostgresStorage`, and `dispose` of the run
storage. Dagster's own engines open a connection for each statement, and cannot be configured.
"""

from dagster_postgres import DagsterPostgresStorage
from sqlalchemy.engine import Engine


def share_engine(storage: DagsterPostgresStorage, engine: Engine) -> None:
    """Make all parts of the storage use the engine, which is closed when the instance is disposed of."""
    for part in (storage._run_storage, storage._event_log_storage, storage._schedule_storage):  # noqa: SLF001  see above
        part._engine = engine  # noqa: SLF001  see above
    storage._run_storage.dispose = engine.dispose  # type: ignore[method-assign]  # noqa: SLF001  see above
