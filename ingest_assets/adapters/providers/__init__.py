"""The paid providers, each in its own folder; code that must know all of them asks here.

Importing this loads no client.
"""

from ingest_assets.adapters.providers.llamaparse.provider import PROVIDER as LLAMAPARSE
from ingest_assets.adapters.providers.openai.provider import PROVIDER as OPENAI

PROVIDERS = (OPENAI, LLAMAPARSE)
"""The order in which they are listed; if several have a key, the first one is chosen."""

__all__ = ["LLAMAPARSE", "OPENAI", "PROVIDERS"]
