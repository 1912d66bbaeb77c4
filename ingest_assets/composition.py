"""Settings become a deployment: the one place that chooses the adapters behind the ports."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from ingest_assets.adapters.clock import SystemClock
from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets.adapters.keys import key_reader
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
from ingest_assets.adapters.providers.llamaparse import LlamaParseParser, LlamaParseSettings, Tier
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.retry_policy import RetryPolicy
from ingest_assets.domain.search.index_policy import IndexPolicy
from ingest_assets.domain.spending.budgets import BudgetLimits
from ingest_assets.domain.spending.circuit_breaker import BreakerSettings
from ingest_assets.domain.spending.costs import Service
from ingest_assets.domain.spending.rate_limits import RateLimit, RateLimits
from ingest_assets.domain.text.chunking import ChunkingSettings
from ingest_assets.pipeline.estimate import LLAMAPARSE_PACE, LOCAL_EMBEDDING, LOCAL_PARSING, OPENAI_PACE, Step
from ingest_assets.pipeline.ports.object_store import ObjectStore
from ingest_assets.pipeline.ports.providers import Embedder, Parser
from ingest_assets.pipeline.services import Services
from ingest_assets.settings import Settings, login_url, sibling_database, sqlalchemy_url

if TYPE_CHECKING:
    from ingest_assets.adapters.providers.openai import OpenAISettings

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

    @property
    def llamaparse_settings(self) -> LlamaParseSettings:
        settings = self.settings
        return LlamaParseSettings(
            tier=Tier(settings.llamaparse_tier),
            language=settings.llamaparse_language,
            do_not_cache=settings.llamaparse_do_not_cache,
            callback_url=settings.llamaparse_callback_url,
        )

    @cached_property
    def local_parser(self) -> LocalParser:
        limits = ParserLimits(seconds=self.settings.parse_seconds, memory_mb=self.settings.parse_memory_mb)
        return LocalParser(limits)

    @cached_property
    def parser(self) -> Parser:
        """Raises PermanentError key_unset."""
        settings = self.settings
        key = key_reader(settings.llama_cloud_api_key, settings.llama_cloud_api_key_file)
        if settings.parser == "local" or (settings.parser == "auto" and key is None):
            return self.local_parser
        if key is None:
            raise PermanentError("key_unset", service="LlamaParse", name="LLAMA_CLOUD_API_KEY")
        service = LlamaParseParser(
            key, settings.llama_cloud_base_url, self.paid_calls, self.parse_jobs, self.llamaparse_settings
        )
        return ParserRouter(service, self.local_parser, stands_in=settings.parser_fallback)

    @property
    def uses_openai(self) -> bool:
        """Whether OpenAI, or a server that speaks its protocol, embeds."""
        choice = self.settings.embedder
        return choice == "openai" or (choice == "auto" and self._openai_key is not None)

    @property
    def _openai_key(self) -> Callable[[], str] | None:
        return key_reader(self.settings.openai_api_key, self.settings.openai_api_key_file)

    @property
    def openai_settings(self) -> "OpenAISettings":
        from ingest_assets.adapters.providers.openai import OpenAISettings

        settings = self.settings
        return OpenAISettings(
            model=settings.openai_model,
            version=settings.openai_model_version,
            dimensions=settings.openai_dimensions,
            micro_usd_per_million_tokens=_micro_usd(settings.openai_usd_per_million_tokens),
        )

    @cached_property
    def embedder(self) -> Embedder:
        """Raises PermanentError key_unset."""
        if not self.uses_openai:
            from ingest_assets.adapters.lexical_embedder import LexicalEmbedder

            return LexicalEmbedder()
        if self._openai_key is None:
            raise PermanentError("key_unset", service="OpenAI", name="OPENAI_API_KEY")
        from ingest_assets.adapters.providers.openai import OpenAIEmbedder

        return OpenAIEmbedder(self._openai_key, self.settings.openai_base_url, self.paid_calls, self.openai_settings)

    def parsing_step(self, media_type: str) -> Step:
        """What parsing takes per page."""
        if self.parser.producer_of(media_type) == self.local_parser.producer:
            return LOCAL_PARSING
        return Step(self.llamaparse_settings.usage, *LLAMAPARSE_PACE)

    @property
    def embedding_step(self) -> Step:
        """What embedding takes per token."""
        return Step(self.openai_settings.usage, *OPENAI_PACE) if self.uses_openai else LOCAL_EMBEDDING

    def available(self) -> bool:
        """Whether every outside service without a stand-in takes calls now."""
        needed = set()
        if self.uses_openai:
            needed.add(Service.OPENAI)
        if isinstance(self.parser, ParserRouter) and not self.settings.parser_fallback:
            needed.add(Service.LLAMAPARSE)
        return not needed or not needed & self.paid_calls.open_services()

    @cached_property
    def services(self) -> Services:
        settings, index_policy = self.settings, IndexPolicy()
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
            vector_index=PostgresVectorIndex(self.url_of(Role.OWNER)),
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
    openai = RateLimits(
        _per_minute(settings.openai_requests_per_minute), _per_minute(settings.openai_tokens_per_minute)
    )
    llamaparse = RateLimits(_per_minute(settings.llamaparse_requests_per_minute))
    budgets = BudgetLimits(
        day=_micro_usd(settings.budget_usd_per_day),
        user=_micro_usd(settings.budget_usd_per_user_and_day),
        document=_micro_usd(settings.budget_usd_per_document),
    )
    breaker = BreakerSettings(open_for=timedelta(seconds=settings.breaker_open_seconds))
    return CostLimits({Service.OPENAI: openai, Service.LLAMAPARSE: llamaparse}, budgets, breaker)


def _micro_usd(usd: float | None) -> int | None:
    return None if usd is None else round(usd * 1_000_000)


def _per_minute(limit: int | None) -> RateLimit | None:
    return None if limit is None else RateLimit(limit)


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
