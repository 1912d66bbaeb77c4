"""Settings become a deployment: the one place that chooses the adapters behind the ports."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from ingest_assets.adapters.clock import SystemClock
from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets.adapters.object_stores.local_files import LocalFiles
from ingest_assets.adapters.parsers.local import LocalParser, ParserLimits
from ingest_assets.adapters.parsers.router import ParserRouter
from ingest_assets.adapters.postgres.chunks import PostgresChunkBuffer, PostgresCommittedChunks, PostgresVectorBuffer
from ingest_assets.adapters.postgres.database import Database, Role
from ingest_assets.adapters.postgres.deletions import PostgresDeletions
from ingest_assets.adapters.postgres.documents import PostgresDocuments
from ingest_assets.adapters.postgres.jobs import PostgresJobs
from ingest_assets.adapters.postgres.paid_calls import CostLimits, PostgresPaidCalls
from ingest_assets.adapters.postgres.parse_jobs import PostgresParseJobs
from ingest_assets.adapters.postgres.partitions import PostgresPartitions
from ingest_assets.adapters.postgres.search_index import PostgresSearchIndex
from ingest_assets.adapters.postgres.seen_documents import PostgresSeenDocuments
from ingest_assets.adapters.postgres.vector_index import PostgresVectorIndex
from ingest_assets.adapters.postgres.vector_samples import PostgresVectorSamples
from ingest_assets.composition.providers import chosen, embedders, micro_usd, parsers, rates, required_key
from ingest_assets.composition.providers import index_policy as make_index_policy
from ingest_assets.domain.queue.retry_policy import RetryPolicy
from ingest_assets.domain.spending.budgets import BudgetLimits
from ingest_assets.domain.spending.circuit_breaker import BreakerSettings
from ingest_assets.domain.spending.providers import Provider
from ingest_assets.domain.text.chunking import ChunkingSettings
from ingest_assets.pipeline.estimate import LOCAL_EMBEDDING, LOCAL_PARSING, Step
from ingest_assets.pipeline.ports.object_store import ObjectStore
from ingest_assets.pipeline.ports.providers import Embedder, Parser
from ingest_assets.pipeline.services import Services
from ingest_assets.settings import Settings, login_url, sibling_database, sqlalchemy_url

SPARE_CONNECTIONS = 4
"""For what a worker does beside its documents: renewing leases, claiming, reporting, booking."""


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

    def url_of(self, role: Role) -> str:
        """For acting as the role: on the embedded server its own login, elsewhere whatever login there is."""
        return login_url(self.database_url, role) if self.settings.embedded else self.database_url

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
        return Database(self.url_of(Role.WORKER), connections=self.settings.drain_in_flight + SPARE_CONNECTIONS)

    @cached_property
    def documents(self) -> PostgresDocuments:
        return PostgresDocuments(self.database)

    @cached_property
    def deletions(self) -> PostgresDeletions:
        return PostgresDeletions(self.database)

    @cached_property
    def objects(self) -> ObjectStore:
        return LocalFiles(self.settings.objects_folder)

    @cached_property
    def paid_calls(self) -> PostgresPaidCalls:
        return PostgresPaidCalls(self.database, SystemClock(), _cost_limits(self.settings), time.sleep)

    @cached_property
    def parse_jobs(self) -> PostgresParseJobs:
        return PostgresParseJobs(self.database)

    @cached_property
    def local_parser(self) -> LocalParser:
        limits = ParserLimits(seconds=self.settings.parse_seconds, memory_mb=self.settings.parse_memory_mb)
        return LocalParser(limits)

    @property
    def parsing_provider(self) -> Provider | None:
        """Return the provider that parses, or None where this machine does."""
        return chosen(self.settings.parser, parsers(self.settings), self.settings)

    @property
    def embedding_provider(self) -> Provider | None:
        """Return the provider that embeds, or None where this machine does."""
        return chosen(self.settings.embedder, embedders(self.settings), self.settings)

    @cached_property
    def parser(self) -> Parser:
        """Make what parses.

        Raises:
            PermanentError: key_unset.
        """
        provider = self.parsing_provider
        if provider is None:
            return self.local_parser
        made = parsers(self.settings)[provider].make(
            required_key(provider, self.settings), self.paid_calls, self.parse_jobs
        )
        return ParserRouter(made, self.local_parser, stands_in=self.settings.parser_fallback)

    @cached_property
    def embedder(self) -> Embedder:
        """Make what embeds.

        Raises:
            PermanentError: key_unset.
        """
        provider = self.embedding_provider
        if provider is None:
            from ingest_assets.adapters.lexical_embedder import LexicalEmbedder

            return LexicalEmbedder()
        return embedders(self.settings)[provider].make(required_key(provider, self.settings), self.paid_calls)

    def parsing_step(self, media_type: str) -> Step:
        """Return what parsing takes per page."""
        provider = self.parsing_provider
        if provider is None or self.parser.producer_of(media_type) == self.local_parser.producer:
            return LOCAL_PARSING
        return Step(parsers(self.settings)[provider].usage, *provider.pace)

    @property
    def embedding_step(self) -> Step:
        """Return what embedding takes per token."""
        provider = self.embedding_provider
        return LOCAL_EMBEDDING if provider is None else Step(embedders(self.settings)[provider].usage, *provider.pace)

    def available(self) -> bool:
        """Return whether every provider without a stand-in takes calls now."""
        needed = [self.embedding_provider, None if self.settings.parser_fallback else self.parsing_provider]
        names = {provider.name for provider in needed if provider is not None}
        return not names or not names & self.paid_calls.paused_providers()

    @cached_property
    def services(self) -> Services:
        settings, index_policy = self.settings, make_index_policy()
        return Services(
            clock=SystemClock(),
            jitter=random.random,
            jobs=PostgresJobs(self.database, settings.jobs_per_user),
            documents=self.documents,
            deletions=self.deletions,
            documents_of=lambda user_id: PostgresSeenDocuments(self.database.as_seen_by(user_id)),
            objects=self.objects,
            parser=self.parser,
            chunk_buffer=PostgresChunkBuffer(self.database),
            embedder=self.embedder,
            vector_buffer=PostgresVectorBuffer(self.database),
            committed=PostgresCommittedChunks(self.database),
            partitions=PostgresPartitions(self.database),
            search_index=PostgresSearchIndex(self.database, index_policy),
            vector_index=PostgresVectorIndex(self.url_of(Role.OWNER), index_policy),
            vector_samples=PostgresVectorSamples(self.database),
            chunking=ChunkingSettings(settings.chunk_characters, settings.chunk_overlap),
            retry_policy=RetryPolicy(),
            index_policy=index_policy,
            available=self.available,
            lease=settings.lease,
        )

    def close(self) -> None:
        """Ends what was made; the embedded server stops where nobody else uses it."""
        made = vars(self)
        if "local_parser" in made:
            self.local_parser.close()
        if "database" in made:
            self.database.close()
        if "embedded_postgres" in made:
            self.embedded_postgres.stop()


def _cost_limits(settings: Settings) -> CostLimits:
    budgets = BudgetLimits(
        day=micro_usd(settings.budget_usd_per_day),
        user=micro_usd(settings.budget_usd_per_user_and_day),
        document=micro_usd(settings.budget_usd_per_document),
    )
    breaker = BreakerSettings(open_for=timedelta(seconds=settings.breaker_open_seconds))
    return CostLimits(rates(settings), budgets, breaker)


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
