"""The databases with their logins, the document store, the clock, chance and the log."""

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from ingest_assets.composition.parts import Parts, part
from ingest_assets.domain.roles import Role
from ingest_assets.pipeline.telling import Tell, telling_nobody

if TYPE_CHECKING:
    from ingest_assets.adapters.counting_observer import CountingObserver
    from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
    from ingest_assets.adapters.object_stores.encrypted import EncryptedObjects, Seals
    from ingest_assets.adapters.postgres.database import Database
    from ingest_assets.adapters.postgres.diagnosis import Diagnosis
    from ingest_assets.adapters.postgres.documents.export import Export
    from ingest_assets.adapters.postgres.documents.idempotency_keys import PostgresIdempotencyKeys
    from ingest_assets.adapters.postgres.isolation import Isolation
    from ingest_assets.adapters.postgres.replicas import ReplicaState
    from ingest_assets.adapters.postgres.spending.ledger import Ledger
    from ingest_assets.adapters.postgres.spending.webhook_log import PostgresWebhookLog
    from ingest_assets.domain.spending.providers import ProviderName
    from ingest_assets.pipeline.ports.clock import Clock
    from ingest_assets.pipeline.ports.encrypting import KeyManagement, UserKeys
    from ingest_assets.pipeline.ports.object_store import ObjectStore
    from ingest_assets.pipeline.ports.observing import Observer
    from ingest_assets.settings import Settings

SPARE_CONNECTIONS = 4
"""Connections for what a worker does besides its documents: renewing leases, claiming, reporting, booking."""

REPLICA_CONNECTIONS = 16
REPLICA_PATIENCE = 1.0
"""Seconds that a search waits for a read replica before it goes to the database itself."""
MEASURING_PATIENCE = 3.0
"""Seconds that a scrape waits for Postgres; Prometheus waits ten for the scrape."""


class Databases(Parts):
    """The part of a deployment that stores things."""

    def __init__(self, settings: "Settings") -> None:
        super().__init__()
        self.settings = settings

    @part
    def instance_name(self) -> str:
        """Return the name of this deployment among those on the same database."""
        from ingest_assets.composition.instance_name import name_of_home

        return self.settings.instance or name_of_home(self.settings.home_folder)

    @part
    def boot(self) -> str:
        """Return the name of this deployment's present start."""
        from ingest_assets.composition.instance_name import boot_of_home

        return boot_of_home(self.settings.home_folder)

    def keep_home_private(self) -> None:
        """Close the home to other users.

        Raises:
            PermanentError: home_not_private.
        """
        from ingest_assets.adapters.embedded_postgres.boot import keep_home_private

        with suppress(OSError):  # a home that cannot be made keeps nothing
            keep_home_private(self.settings.home_folder)

    def begin_boot(self) -> None:
        """Give the present start a name, before any process asks for it."""
        from ingest_assets.composition.instance_name import begin_boot

        begin_boot(self.settings.home_folder)

    @part
    def embedded_postgres(self) -> "EmbeddedPostgres":
        from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres

        return EmbeddedPostgres(self.settings.home_folder, self.settings.silence_seconds)

    @part
    def database_url(self) -> str:
        """Return the URL of the server, which is the embedded one, started here, unless another is named."""
        if self.settings.database_url is not None:
            return _decided(self.settings.database_url.get_secret_value())
        self.embedded_postgres.start()
        return self.embedded_postgres.url()

    @property
    def direct_database_url(self) -> str:
        """Return a URL around any pooler, for what needs a session of its own."""
        direct = self.settings.direct_database_url
        return self.database_url if direct is None else _decided(direct.get_secret_value())

    def url_of(self, role: Role) -> str:
        """Return a URL to act as the role: its own login on the embedded server, or else the only login."""
        from ingest_assets.settings import login_url

        return login_url(self.database_url, role) if self.settings.embedded else self.database_url

    @property
    def owner_url(self) -> str:
        return self.url_of(Role.OWNER) if self.settings.direct_database_url is None else self.direct_database_url

    @property
    def plain_dagster_database_url(self) -> str:
        from ingest_assets.settings import libpq_url, sibling_database

        if self.settings.dagster_database_url is not None:
            return _decided(libpq_url(self.settings.dagster_database_url.get_secret_value()))

        return sibling_database(self.database_url, "dagster")

    @property
    def dagster_database_url(self) -> str:
        """The URL of Dagster's database for SQLAlchemy."""
        from ingest_assets.adapters.postgres.sessions import url_with_network_limits
        from ingest_assets.settings import sqlalchemy_url

        return sqlalchemy_url(url_with_network_limits(self.plain_dagster_database_url))

    @part
    def database(self) -> "Database":
        from ingest_assets.adapters.postgres.database import Database

        return Database(self.url_of(Role.WORKER), connections=self.settings.drain_in_flight + SPARE_CONNECTIONS)

    @part
    def measuring_database(self) -> "Database":
        """Return a connection for metrics alone, which are told although all others are busy."""
        from ingest_assets.adapters.postgres.database import Database

        return Database(self.url_of(Role.WORKER), connections=1, patience=MEASURING_PATIENCE)

    @part
    def search_database(self) -> "Database | None":
        """Return the read replica for searches, if there is one."""
        from ingest_assets.adapters.postgres.database import Database

        url = self.search_database_url
        return None if url is None else Database(url, connections=REPLICA_CONNECTIONS, patience=REPLICA_PATIENCE)

    @property
    def search_database_url(self) -> str | None:
        replica = self.settings.search_database_url
        return None if replica is None else _decided(replica.get_secret_value())

    def replica_state(self) -> "ReplicaState | None":
        """Return how far the read replica is behind, if there is one."""
        from ingest_assets.adapters.postgres.replicas import replica_state

        url = self.search_database_url
        return None if url is None else replica_state(self.direct_database_url, url)

    def migrate(self, *, needed_only: bool = False, tell: Tell = telling_nobody) -> list[str]:
        """Bring the schema up to date, or only as far as this release needs, and return the names of what was applied.

        Args:
            needed_only: Whether to leave out what would stop older releases and is not needed.
            tell: Hears how far the migration that is being applied has come.
        """
        from ingest_assets.adapters.postgres.migrations import migrate

        return migrate(self.direct_database_url, needed_only=needed_only, tell=tell)

    def prepare_databases(self) -> None:
        """Give the schema what this release needs, and create Dagster's database unless a setting names one."""
        from ingest_assets.adapters.postgres.migrations import create_database, keep_readers_out
        from ingest_assets.settings import sibling_database

        self.migrate(needed_only=True)
        if self.settings.dagster_database_url is None:
            create_database(self.plain_dagster_database_url)
        if self.settings.embedded:
            for name in ("postgres", "template1"):
                keep_readers_out(sibling_database(self.database_url, name))

    @property
    def diagnosis(self) -> "Diagnosis":
        from ingest_assets.adapters.postgres.diagnosis import Diagnosis

        return Diagnosis(self.database_url)

    @property
    def dagster_diagnosis(self) -> "Diagnosis":
        from ingest_assets.adapters.postgres.diagnosis import Diagnosis

        return Diagnosis(self.plain_dagster_database_url)

    def isolation(self) -> "Isolation":
        """Return whether the server keeps users' rows apart."""
        from ingest_assets.adapters.postgres.isolation import isolation_of

        return isolation_of(self.database)

    def pending_migrations(self) -> list[str]:
        from ingest_assets.adapters.postgres.migrations import pending

        return pending(self.url_of(Role.WORKER))

    @property
    def ledger(self) -> "Ledger":
        from ingest_assets.adapters.postgres.spending.ledger import Ledger

        return Ledger(self.database)

    @property
    def export(self) -> "Export":
        from ingest_assets.adapters.postgres.documents.export import Export

        return Export(self.database)

    @property
    def idempotency_keys(self) -> "PostgresIdempotencyKeys":
        from ingest_assets.adapters.postgres.documents.idempotency_keys import PostgresIdempotencyKeys

        return PostgresIdempotencyKeys(self.database)

    def webhook_log(self, provider: "ProviderName") -> "PostgresWebhookLog":
        """Return what keeps the callbacks of a provider."""
        from ingest_assets.adapters.postgres.spending.webhook_log import PostgresWebhookLog

        return PostgresWebhookLog(self.database, provider)

    @part
    def objects(self) -> "ObjectStore":
        return self.encrypted_objects

    @part
    def encrypted_objects(self) -> "EncryptedObjects":
        from ingest_assets.adapters.object_stores.encrypted import EncryptedObjects

        return EncryptedObjects(self.sealed_objects, self.user_keys, self._seals())

    @part
    def sealed_objects(self) -> "ObjectStore":
        """Return the store that neither encrypts nor decrypts."""
        from ingest_assets.composition.object_stores import opened_store

        return opened_store(self.settings.object_store_url, self.settings.home_folder / "objects.known")

    @part
    def user_keys(self) -> "UserKeys":
        from ingest_assets.adapters.postgres.documents.user_keys import PostgresUserKeys

        return PostgresUserKeys(self.database)

    @part
    def key_management(self) -> "KeyManagement | None":
        """Return who keeps the master key, if there is one."""
        if self.settings.master_key_file is None:
            return None
        from ingest_assets.adapters.master_key_file import MasterKeyFile

        return MasterKeyFile(self.settings.master_key_file.expanduser().absolute())

    def _seals(self) -> "Seals | None":
        if self.key_management is None:
            return None
        from ingest_assets.adapters.object_stores.seals import UserSeals

        return UserSeals(self.user_keys, self.key_management)

    @part
    def clock(self) -> "Clock":
        from ingest_assets.adapters.clock import SystemClock

        return SystemClock()

    @part
    def jitter(self) -> Callable[[], float]:
        return random.random

    @part
    def lease(self) -> timedelta:
        """Return how long a worker may be silent before its documents return to the queue."""
        return self.settings.lease

    @part
    def observer(self) -> "Observer":
        return self.facts

    @part
    def facts(self) -> "CountingObserver":
        """Return what logs and counts what this process tells."""
        from ingest_assets.adapters.counting_observer import CountingObserver
        from ingest_assets.adapters.logging_observer import LoggingObserver

        return CountingObserver(LoggingObserver())


def _decided(url: str) -> str:
    """Return the URL of a server, unless nobody has decided whether to encrypt what is sent to another machine."""
    from ingest_assets.adapters.postgres.encryption import require_choice

    require_choice(url)
    return url
