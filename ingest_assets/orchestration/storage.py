"""Dagster's own Postgres storage, with connections that stay open.

By itself, Dagster opens a connection for each statement. A run of four assets has about 250 of them, which is half of
its cost.
"""

from collections.abc import Callable, Mapping
from typing import Any

from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import create_pg_engine, pg_url_from_config

from ingest_assets.composition import Deployment
from ingest_assets.orchestration.dagster_internals import install
from ingest_assets.orchestration.dagster_internals.configured_classes import ConfigurableClassData
from ingest_assets.orchestration.dagster_internals.storage_engines import share_engine
from ingest_assets.orchestration.dagster_internals.storage_tables import LAST_TABLE, make_tables
from ingest_assets.settings import Settings

KEPT_CONNECTIONS = 2


class KeptConnections(DagsterPostgresStorage):
    """A storage with one pool for runs, events and schedules. It replaces a dead connection before using it.

    If `dagster.yaml` names no database, it is the one of the deployment that the settings describe.
    """

    def __init__(
        self,
        postgres_url: str,
        inst_data: ConfigurableClassData | None = None,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        install()
        super().__init__(postgres_url, should_autocreate_tables=False, inst_data=inst_data)
        engine = create_pg_engine(
            postgres_url,
            isolation_level="AUTOCOMMIT",
            pool_size=KEPT_CONNECTIONS,
            max_overflow=-1,
            pool_pre_ping=True,
            hide_parameters=True,
        )
        with engine.connect() as connection:
            prepared = engine.dialect.has_table(connection, LAST_TABLE)
        if not prepared:
            make_tables(postgres_url)

        def dispose() -> None:
            engine.dispose()
            close()

        share_engine(self, engine, dispose)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "KeptConnections":
        if "postgres_url" in config_value or "postgres_db" in config_value:
            return cls(pg_url_from_config(config_value), inst_data)
        deployment = Deployment(Settings())
        if deployment.settings.dagster_database_url is None:  # otherwise whoever named it has prepared it
            deployment.prepare_databases()
        return cls(deployment.dagster_database_url, inst_data, deployment.close)
