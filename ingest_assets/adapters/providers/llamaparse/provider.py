"""What the rest of the system knows of LlamaParse."""

from ingest_assets.domain.spending.providers import Pace, Provider, ProviderName

DEFAULT_BASE_URL = "https://api.cloud.llamaindex.ai"
"""Of both protocols."""

PROVIDER = Provider(
    name=ProviderName("llamaparse"),
    title="LlamaParse",
    key_variable="LLAMA_CLOUD_API_KEY",
    key_pattern=r"llx-[\w-]{8,}",
    units=("pages", "credits"),
    pace=Pace(seconds_per_document=5.0, units_per_second=1.0),
)
