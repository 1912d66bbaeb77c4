"""The providers that a deployment may use, with their keys, prices and limits. To add a provider, add it here."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from ingest_assets.adapters.keys import key_reader
from ingest_assets.adapters.providers import LLAMACLOUD, LLAMAPARSE, OPENAI, PROVIDERS
from ingest_assets.adapters.providers.llamacloud.settings import LlamaCloudSettings
from ingest_assets.adapters.providers.llamaparse.settings import LlamaParseSettings
from ingest_assets.adapters.providers.openai.models import OpenAISettings
from ingest_assets.adapters.providers.remote_parsing.settings import Tier
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.search.index_policy import LOCAL_MODELS_BY_BITS, IndexPolicy
from ingest_assets.domain.spending.budgets import BudgetLimits
from ingest_assets.domain.spending.costs import Usage
from ingest_assets.domain.spending.providers import Provider, ProviderName
from ingest_assets.domain.spending.rate_limits import RateLimit, RateLimits
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.providers import Embedder, PaidCalls, RemoteJobs, RemoteKeeper
from ingest_assets.settings import Settings

if TYPE_CHECKING:
    from ingest_assets.adapters.parsers.router import ProviderParser

Key: TypeAlias = Callable[[], str]
"""Returns the key; it is called for every request, so that a key may change."""
MakeParser: TypeAlias = "Callable[[Key, PaidCalls, RemoteJobs, Clock], ProviderParser]"
MakeEmbedder: TypeAlias = Callable[[Key, PaidCalls], Embedder]
Make = TypeVar("Make")


@dataclass(frozen=True, slots=True)
class Use(Generic[Make]):
    """How a deployment uses a provider."""

    make: Make
    usage: Callable[[int], Usage]
    """Returns what a number of its units costs."""


def parsers(settings: Settings) -> Mapping[Provider, Use[MakeParser]]:
    """Return the providers that parse."""
    return {LLAMAPARSE: _llamaparse(settings), LLAMACLOUD: _llamacloud(settings)}


def embedders(settings: Settings) -> Mapping[Provider, Use[MakeEmbedder]]:
    """Return the providers that embed."""
    return {OPENAI: _openai(settings)}


def rates(settings: Settings) -> Mapping[ProviderName, RateLimits]:
    """Return the rate limits of each provider, which all workers share."""
    return {
        OPENAI.name: RateLimits(
            _per_minute(settings.openai_requests_per_minute), _per_minute(settings.openai_tokens_per_minute)
        ),
        LLAMAPARSE.name: RateLimits(_per_minute(settings.llamaparse_requests_per_minute)),
        LLAMACLOUD.name: RateLimits(_per_minute(settings.llamaparse_requests_per_minute)),
    }


def key_of(provider: Provider, settings: Settings) -> Key | None:
    """Return a function that reads the provider's key, or None if no key is set."""
    llama = key_reader(settings.llama_cloud_api_key, settings.llama_cloud_api_key_file)
    return {
        OPENAI: key_reader(settings.openai_api_key, settings.openai_api_key_file),
        LLAMAPARSE: llama,
        LLAMACLOUD: llama,
    }[provider]


def required_key(provider: Provider, settings: Settings) -> Key:
    """Return a function that reads the provider's key.

    Raises:
        PermanentError: key_unset.
    """
    key = key_of(provider, settings)
    if key is None:
        raise PermanentError("key_unset", provider=provider.title, name=provider.key_variable)
    return key


def chosen(choice: str, usable: Iterable[Provider], settings: Settings) -> Provider | None:
    """Return the provider that a setting names, or None for "local"; for "auto", the first that has a key."""
    if choice == "auto":
        return next((provider for provider in usable if key_of(provider, settings) is not None), None)
    return next((provider for provider in usable if provider.name == choice), None)


def index_policy() -> IndexPolicy:
    """Return a policy that knows every provider's models: the database may have their vectors even if unused now."""
    return IndexPolicy(models_by_bits=LOCAL_MODELS_BY_BITS.union(*(each.models_by_bits for each in PROVIDERS)))


def budgets(settings: Settings) -> BudgetLimits:
    return BudgetLimits(
        day=micro_usd(settings.budget_usd_per_day),
        user=micro_usd(settings.budget_usd_per_user_and_day),
        document=micro_usd(settings.budget_usd_per_document),
    )


def micro_usd(usd: float | None) -> int | None:
    return None if usd is None else round(usd * 1_000_000)


def openai_settings(settings: Settings) -> OpenAISettings:
    return OpenAISettings(
        model=settings.openai_model,
        version=settings.openai_model_version,
        dimensions=settings.openai_dimensions,
        micro_usd_per_million_tokens=micro_usd(settings.openai_usd_per_million_tokens),
        max_in_flight_together=settings.embeddings_in_flight,
    )


def _openai(settings: Settings) -> Use[MakeEmbedder]:
    model = openai_settings(settings)

    def make(key: Key, calls: PaidCalls) -> Embedder:
        from ingest_assets.adapters.providers.openai.embedder import OpenAIEmbedder

        return OpenAIEmbedder(key, settings.openai_base_url, calls, model)

    return Use(make, model.usage)


def _llamaparse(settings: Settings) -> Use[MakeParser]:
    wanted = LlamaParseSettings(
        tier=Tier(settings.llamaparse_tier),
        language=settings.llamaparse_language,
        do_not_cache=settings.llamaparse_do_not_cache,
        callback_url=settings.llamaparse_callback_url,
    )

    def make(key: Key, calls: PaidCalls, jobs: RemoteJobs, clock: Clock) -> "ProviderParser":
        from ingest_assets.adapters.providers.llamaparse.parser import LlamaParseParser

        return LlamaParseParser(key, settings.llama_cloud_base_url, calls, jobs, wanted, clock)

    return Use(make, wanted.usage)


def _llamacloud(settings: Settings) -> Use[MakeParser]:
    wanted = llamacloud_settings(settings)

    def make(key: Key, calls: PaidCalls, jobs: RemoteJobs, clock: Clock) -> "ProviderParser":
        from ingest_assets.adapters.providers.llamacloud.parser import LlamaCloudParser

        return LlamaCloudParser(key, settings.llama_cloud_base_url, calls, jobs, wanted, clock)

    return Use(make, wanted.usage)


def llamacloud_settings(settings: Settings) -> LlamaCloudSettings:
    return LlamaCloudSettings(
        tier=Tier(settings.llamaparse_tier),
        tier_version=settings.llamacloud_version or "",
        language=settings.llamaparse_language,
        do_not_cache=settings.llamaparse_do_not_cache,
        callback_url=settings.llamacloud_callback_url,
    )


def keepers(settings: Settings) -> Mapping[ProviderName, RemoteKeeper]:
    """Return the providers that keep jobs until they are removed, as far as their keys are set."""
    key = key_of(LLAMACLOUD, settings)
    if key is None:
        return {}
    from ingest_assets.adapters.providers.llamacloud.keeper import LlamaCloudKeeper

    return {LLAMACLOUD.name: LlamaCloudKeeper(key, settings.llama_cloud_base_url, llamacloud_settings(settings))}


def _per_minute(limit: int | None) -> RateLimit | None:
    return None if limit is None else RateLimit(limit)
