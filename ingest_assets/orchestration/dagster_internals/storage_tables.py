"""The tables of Dagster's Postgres storage, made in one transaction: all are there, or none is.

By itself, Dagster commits each table alone and takes the first for all of them. So whoever was killed in between has
left a storage that nobody completes, and who starts beside another uses tables that are not there yet. This module uses
the metadata of the three storages, the names of the migrations of rows that new tables do not need, and how Dagster
notes them.
"""

from datetime import datetime

import dagster_postgres.run_storage
from dagster._core.storage.event_log import SqlEventLogStorageMetadata
from dagster._core.storage.event_log.migration import ASSET_DATA_MIGRATIONS, EVENT_LOG_DATA_MIGRATIONS
from dagster._core.storage.runs import RunStorageSqlMetadata
from dagster._core.storage.runs.migration import OPTIONAL_DATA_MIGRATIONS, REQUIRED_DATA_MIGRATIONS
from dagster._core.storage.runs.schema import SecondaryIndexMigrationTable
from dagster._core.storage.schedules.migration import (
    OPTIONAL_SCHEDULE_DATA_MIGRATIONS,
    REQUIRED_SCHEDULE_DATA_MIGRATIONS,
)
from dagster._core.storage.schedules.schema import ScheduleStorageSqlMetadata
from dagster._core.storage.sql import stamp_alembic_rev
from dagster_postgres.utils import create_pg_engine, pg_alembic_config, retry_pg_creation_fn
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Engine
from sqlalchemy.pool import NullPool

LAST_TABLE = "jobs"
"""The last table that Dagster makes: if it exists, all do."""
NEEDLESS = (
    *REQUIRED_DATA_MIGRATIONS,
    *OPTIONAL_DATA_MIGRATIONS,
    *EVENT_LOG_DATA_MIGRATIONS,
    *ASSET_DATA_MIGRATIONS,
    *REQUIRED_SCHEDULE_DATA_MIGRATIONS,
    *OPTIONAL_SCHEDULE_DATA_MIGRATIONS,
)


def make_tables(postgres_url: str) -> None:
    """Make what is missing. If another process does so at this moment, this waits for it."""
    engine = create_pg_engine(postgres_url, poolclass=NullPool, hide_parameters=True)
    retry_pg_creation_fn(lambda: _make(engine))


def _make(engine: Engine) -> None:
    with engine.begin() as connection:
        for metadata in (RunStorageSqlMetadata, SqlEventLogStorageMetadata, ScheduleStorageSqlMetadata):
            metadata.create_all(connection)
        stamp_alembic_rev(pg_alembic_config(dagster_postgres.run_storage.__file__), connection)
        noted = [{"name": name, "migration_completed": datetime.now()} for name in NEEDLESS]  # noqa: DTZ005  as Dagster
        connection.execute(insert(SecondaryIndexMigrationTable).values(noted).on_conflict_do_nothing())
