"""Settings become a deployment: the one place that chooses the adapters behind the ports."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from ingest_assets.adapters.clock import SystemClock
from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets.adapters.embedders.lexical import LexicalEmbedder
from ingest_assets.adapters.object_stores.local_files import LocalFiles
from ingest_assets.adapters.parsers.local import LocalParser, ParserLimits
from ingest_assets.adapters.postgres.chunks import PostgresChunkBuffer, PostgresCommittedChunks, PostgresVectorBuffer
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.documents import PostgresDocuments
from ingest_assets.adapters.postgres.jobs import PostgresJobs
from ingest_assets.adapters.postgres.search_index import PostgresSearchIndex
from ingest_assets.domain.chunking import ChunkingSettings
from ingest_assets.domain.retry_policy import RetryPolicy
from ingest_assets.pipeline.services import Services
from ingest_assets.settings import Settings, sibling_database, sqlalchemy_url


@dataclass(frozen=True)
class Deployment:
    """What one process holds of the system; everything is made on first use."""

    settings: Settings

    @cached_property
    def embedded_postgres(self) -> EmbeddedPostgres:
        return EmbeddedPostgres(self.settings.home_folder)

    @cached_property
    def database_url(self) -> str:
        """Starts the embedded server where no other is named."""
        if self.settings.database_url is not None:
            return self.settings.database_url.get_secret_value()
        self.embedded_postgres.start()
        return self.embedded_postgres.url()

    @property
    def plain_dagster_database_url(self) -> str:
        if self.settings.dagster_database_url is not None:
            return self.settings.dagster_database_url.get_secret_value()
        return sibling_database(self.database_url, "dagster")

    @property
    def dagster_database_url(self) -> str:
        """As SQLAlchemy spells it."""
        return sqlalchemy_url(self.plain_dagster_database_url)

    @cached_property
    def database(self) -> Database:
        return Database(self.database_url)

    @cached_property
    def documents(self) -> PostgresDocuments:
        return PostgresDocuments(self.database)

    @cached_property
    def parser(self) -> LocalParser:
        limits = ParserLimits(seconds=self.settings.parse_seconds, memory_mb=self.settings.parse_memory_mb)
        return LocalParser(limits)

    @cached_property
    def services(self) -> Services:
        settings = self.settings
        return Services(
            clock=SystemClock(),
            jitter=random.random,
            jobs=PostgresJobs(self.database),
            documents=self.documents,
            objects=LocalFiles(settings.objects_folder),
            parser=self.parser,
            chunk_buffer=PostgresChunkBuffer(self.database),
            embedder=LexicalEmbedder(),
            vector_buffer=PostgresVectorBuffer(self.database),
            committed=PostgresCommittedChunks(self.database),
            search_index=PostgresSearchIndex(self.database),
            chunking=ChunkingSettings(settings.chunk_characters, settings.chunk_overlap),
            retry_policy=RetryPolicy(),
            lease=settings.lease,
        )

    def close(self) -> None:
        """Ends what was made; the embedded server stops where nobody else uses it."""
        made = vars(self)
        if "parser" in made:
            self.parser.close()
        if "database" in made:
            self.database.close()
        if "embedded_postgres" in made:
            self.embedded_postgres.stop()


def compose(settings: Settings) -> Deployment:
    return Deployment(settings)


def once(make: Callable[[], Services]) -> Callable[[], Services]:
    """Makes a value on the first call, once for all threads."""
    lock = threading.Lock()
    made: list[Services] = []

    def get() -> Services:
        with lock:
            if not made:
                made.append(make())
            return made[0]

    return get
