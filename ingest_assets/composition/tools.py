"""The parser and the embedder of a deployment, and the gate in front of paid calls."""

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from ingest_assets.composition.databases import Databases
from ingest_assets.composition.parts import part
from ingest_assets.domain.queue.lanes import Lane

if TYPE_CHECKING:
    from ingest_assets.adapters.parsers.local import LocalParser
    from ingest_assets.adapters.postgres.spending.paid_calls import PostgresPaidCalls
    from ingest_assets.adapters.postgres.spending.remote_jobs import PostgresRemoteJobs
    from ingest_assets.domain.search.index_policy import IndexPolicy
    from ingest_assets.domain.spending.providers import Provider
    from ingest_assets.pipeline.estimate import Effort
    from ingest_assets.pipeline.ports.providers import Availability, Embedder, Parser


class Tools(Databases):
    """The part of a deployment that parses and embeds."""

    @property
    def parsing_provider(self) -> "Provider | None":
        """Return the provider that parses, or None if this machine does."""
        from ingest_assets.composition.providers import chosen, parsers

        return chosen(self.settings.parser, parsers(self.settings), self.settings)

    @property
    def embedding_provider(self) -> "Provider | None":
        """Return the provider that embeds, or None if this machine does."""
        from ingest_assets.composition.providers import chosen, embedders

        return chosen(self.settings.embedder, embedders(self.settings), self.settings)

    @part
    def local_parser(self) -> "LocalParser":
        from ingest_assets.adapters.parsers.local import LocalParser, ParserLimits
        from ingest_assets.posix.ocr_languages import folder_of

        settings = self.settings
        limits = ParserLimits(
            seconds=settings.parse_seconds,
            memory_mb=settings.parse_memory_mb,
            ocr_folder=str(folder_of(settings.ocr_languages)) if settings.ocr_languages else "",
            ocr_languages=settings.ocr_languages,
            ocr_pages=settings.ocr_pages,
            ocr_seconds=settings.ocr_seconds,
            recognisers=settings.recognitions_in_flight,
        )
        return LocalParser(limits)

    @part
    def parser(self) -> "Parser":
        """Return the parser that the settings choose.

        Raises:
            PermanentError: key_unset.
        """
        provider = self.parsing_provider
        if provider is None:
            return self.local_parser
        from ingest_assets.adapters.parsers.router import ParserRouter
        from ingest_assets.composition.providers import parsers, required_key

        make = parsers(self.settings)[provider].make
        made = make(required_key(provider, self.settings), self.paid_calls, self.remote_jobs, self.clock)
        return ParserRouter(made, self.local_parser, stands_in=self.settings.parser_fallback)

    @part
    def embedder(self) -> "Embedder":
        """Return the embedder that the settings choose.

        Raises:
            PermanentError: key_unset.
        """
        provider = self.embedding_provider
        if provider is None:
            from ingest_assets.adapters.lexical_embedder import LexicalEmbedder

            return LexicalEmbedder()
        from ingest_assets.composition.providers import embedders, required_key

        return embedders(self.settings)[provider].make(required_key(provider, self.settings), self.paid_calls)

    @part
    def paid_calls(self) -> "PostgresPaidCalls":
        from ingest_assets.adapters.postgres.spending.paid_calls import CostLimits, PostgresPaidCalls
        from ingest_assets.composition.providers import budgets, rates
        from ingest_assets.domain.spending.circuit_breaker import BreakerSettings

        breaker = BreakerSettings(open_for=timedelta(seconds=self.settings.breaker_open_seconds))
        limits = CostLimits(rates(self.settings), budgets(self.settings), breaker)
        return PostgresPaidCalls(self.database, self.clock, limits, time.sleep, self.observer)

    @part
    def remote_jobs(self) -> "PostgresRemoteJobs":
        from ingest_assets.adapters.postgres.spending.remote_jobs import PostgresRemoteJobs

        return PostgresRemoteJobs(self.database)

    @part
    def providers(self) -> "Availability":
        """Return the availability of the providers that every document needs: nothing can stand in for them."""
        from ingest_assets.adapters.postgres.spending.availability import PostgresAvailability

        parsing = None if self.settings.parser_fallback else self.parsing_provider
        needed = {Lane.PARSE: parsing, Lane.EMBED: self.embedding_provider}
        names = {lane: provider.name for lane, provider in needed.items() if provider is not None}
        return PostgresAvailability(self.database, names)

    @part
    def index_policy(self) -> "IndexPolicy":
        from ingest_assets.composition.providers import index_policy

        return index_policy()

    def parsing_effort(self, media_type: str) -> "Effort":
        """Return the time and the cost of parsing per page."""
        from ingest_assets.composition.providers import parsers
        from ingest_assets.pipeline.estimate import LOCAL_PARSING, Effort

        provider = self.parsing_provider
        if provider is None or self.parser.costs_nothing(media_type):
            return LOCAL_PARSING
        return Effort(parsers(self.settings)[provider].usage, *provider.pace)

    @property
    def embedding_effort(self) -> "Effort":
        """Return the time and the cost of embedding per token."""
        from ingest_assets.composition.providers import embedders
        from ingest_assets.pipeline.estimate import LOCAL_EMBEDDING, Effort

        provider = self.embedding_provider
        return LOCAL_EMBEDDING if provider is None else Effort(embedders(self.settings)[provider].usage, *provider.pace)
