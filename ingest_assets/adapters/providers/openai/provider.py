"""What the rest of the system knows of OpenAI."""

from ingest_assets.adapters.providers.openai.models import KNOWN_MODELS
from ingest_assets.domain.spending.providers import Pace, Provider, ProviderName

PROVIDER = Provider(
    name=ProviderName("openai"),
    title="OpenAI",
    key_variable="OPENAI_API_KEY",
    key_pattern=r"sk-[\w-]{8,}",
    units=("tokens",),
    pace=Pace(seconds_per_document=0.5, units_per_second=50_000.0),
    models_by_bits=frozenset(KNOWN_MODELS),
)
