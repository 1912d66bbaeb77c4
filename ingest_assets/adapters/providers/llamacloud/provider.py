"""What the rest of the system knows of Llama Cloud."""

from ingest_assets.adapters.providers.llamaparse.provider import PROVIDER as LLAMAPARSE
from ingest_assets.domain.spending.providers import Provider, ProviderName

PROVIDER = Provider(
    name=ProviderName("llamacloud"),
    title="Llama Cloud",
    key_variable=LLAMAPARSE.key_variable,
    key_pattern=LLAMAPARSE.key_pattern,
    units=LLAMAPARSE.units,
    pace=LLAMAPARSE.pace,
)
