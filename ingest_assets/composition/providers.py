"""Which parser and which embedder a deployment uses, and what calls of providers may cost."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from ingest_assets.composition.databases import Databases
from ingest_assets.composition.parts import part
from ingest_assets.domain.errors import PermanentError

if TYPE_CHECKING:
    from ingest_assets.adapters.parsers.local import LocalParser
    from ingest_assets.adapters.postgres.paid_calls import CostLimits, PostgresPaidCalls
    from ingest_assets.adapters.postgres.parse_jobs import PostgresParseJobs
    from ingest_assets.adapters.providers.llamaparse import LlamaParseSettings
    from ingest_assets.adapters.providers.openai import OpenAISettings
    from ingest_assets.domain.spending.rate_limits import RateLimit
    from ingest_assets.pipeline.estimate import Step
    from ingest_assets.pipeline.ports.providers import Availability, Embedder, Parser
    from ingest_assets.settings import Settings


class Providers(Databases):
    @part
    def paid_calls(self) -> "PostgresPaidCalls":
        from ingest_assets.adapters.postgres.paid_calls import PostgresPaidCalls

        return PostgresPaidCalls(self.database, self.clock, cost_limits(self.settings), time.sleep)

    @part
    def parse_jobs(self) -> "PostgresParseJobs":
        from ingest_assets.adapters.postgres.parse_jobs import PostgresParseJobs

        return PostgresParseJobs(self.database)

    @property
    def llamaparse_settings(self) -> "LlamaParseSettings":
        from ingest_assets.adapters.providers.llamaparse import LlamaParseSettings, Tier

        settings = self.settings
        return LlamaParseSettings(
            tier=Tier(settings.llamaparse_tier),
            language=settings.llamaparse_language,
            do_not_cache=settings.llamaparse_do_not_cache,
            callback_url=settings.llamaparse_callback_url,
        )

    @part
    def local_parser(self) -> "LocalParser":
        from ingest_assets.adapters.parsers.local import LocalParser, ParserLimits

        limits = ParserLimits(seconds=self.settings.parse_seconds, memory_mb=self.settings.parse_memory_mb)
        return LocalParser(limits)

    @property
    def _llamaparse_key(self) -> Callable[[], str] | None:
        from ingest_assets.adapters.keys import key_reader

        return key_reader(self.settings.llama_cloud_api_key, self.settings.llama_cloud_api_key_file)

    @property
    def uses_llamaparse(self) -> bool:
        choice = self.settings.parser
        return choice == "llamaparse" or (choice == "auto" and self._llamaparse_key is not None)

    @part
    def parser(self) -> "Parser":
        """Raises PermanentError key_unset."""
        if not self.uses_llamaparse:
            return self.local_parser
        if self._llamaparse_key is None:
            raise PermanentError("key_unset", service="LlamaParse", name="LLAMA_CLOUD_API_KEY")
        from ingest_assets.adapters.parsers.router import ParserRouter
        from ingest_assets.adapters.providers.llamaparse import LlamaParseParser

        service = LlamaParseParser(
            self._llamaparse_key,
            self.settings.llama_cloud_base_url,
            self.paid_calls,
            self.parse_jobs,
            self.llamaparse_settings,
        )
        return ParserRouter(service, self.local_parser, stands_in=self.settings.parser_fallback)

    @property
    def uses_openai(self) -> bool:
        """Whether OpenAI, or a server that speaks its protocol, embeds."""
        choice = self.settings.embedder
        return choice == "openai" or (choice == "auto" and self._openai_key is not None)

    @property
    def _openai_key(self) -> Callable[[], str] | None:
        from ingest_assets.adapters.keys import key_reader

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

    @part
    def embedder(self) -> "Embedder":
        """Raises PermanentError key_unset."""
        if not self.uses_openai:
            from ingest_assets.adapters.lexical_embedder import LexicalEmbedder

            return LexicalEmbedder()
        if self._openai_key is None:
            raise PermanentError("key_unset", service="OpenAI", name="OPENAI_API_KEY")
        from ingest_assets.adapters.providers.openai import OpenAIEmbedder

        return OpenAIEmbedder(self._openai_key, self.settings.openai_base_url, self.paid_calls, self.openai_settings)

    def parsing_step(self, media_type: str) -> "Step":
        """Return what parsing takes per page."""
        from ingest_assets.pipeline.estimate import LLAMAPARSE_PACE, LOCAL_PARSING, Step

        if self.parser.producer_of(media_type) == self.local_parser.producer:
            return LOCAL_PARSING
        return Step(self.llamaparse_settings.usage, *LLAMAPARSE_PACE)

    @property
    def embedding_step(self) -> "Step":
        """What embedding takes per token."""
        from ingest_assets.pipeline.estimate import LOCAL_EMBEDDING, OPENAI_PACE, Step

        return Step(self.openai_settings.usage, *OPENAI_PACE) if self.uses_openai else LOCAL_EMBEDDING

    @part
    def providers(self) -> "Availability":
        """Those without a stand-in."""
        from ingest_assets.adapters.postgres.availability import PostgresAvailability
        from ingest_assets.domain.spending.costs import Service

        needed = [Service.OPENAI] if self.uses_openai else []
        needed += [Service.LLAMAPARSE] if self.uses_llamaparse and not self.settings.parser_fallback else []
        return PostgresAvailability(self.database, needed)


def cost_limits(settings: "Settings") -> "CostLimits":
    from ingest_assets.adapters.postgres.paid_calls import CostLimits
    from ingest_assets.domain.spending.budgets import BudgetLimits
    from ingest_assets.domain.spending.circuit_breaker import BreakerSettings
    from ingest_assets.domain.spending.costs import Service
    from ingest_assets.domain.spending.rate_limits import RateLimits

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


def _per_minute(limit: int | None) -> "RateLimit | None":
    from ingest_assets.domain.spending.rate_limits import RateLimit

    return None if limit is None else RateLimit(limit)
