"""LlamaParse as a parser."""

from collections.abc import Callable

from ingest_assets.adapters.providers.llamaparse.client import LlamaParseClient
from ingest_assets.adapters.providers.llamaparse.settings import LlamaParseSettings
from ingest_assets.adapters.providers.remote_parsing.parser import RemoteParser
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.providers import PaidCalls, RemoteJobs


class LlamaParseParser(RemoteParser):
    """The parser. Any number of threads may call it."""

    def __init__(
        self,
        key: Callable[[], str],
        base_url: str | None,
        calls: PaidCalls,
        remote_jobs: RemoteJobs,
        settings: LlamaParseSettings,
        clock: Clock,
    ) -> None:
        """Make the parser.

        Args:
            key: Gives the key; it is asked for each exchange, so that the key may change.
            base_url: The address of a region, without a path; None for the default.
            calls: The gate before paid calls.
            remote_jobs: The provider's jobs.
            settings: What to ask of the provider.
            clock: Measures how long the provider works, and how long the database is away.
        """
        client = LlamaParseClient(key, base_url, settings, remote_jobs.completed)
        super().__init__(client, calls, remote_jobs, settings, clock)
