"""The outside services that are paid for, each in a folder of its own; everything that must know them asks here.

Importing this loads no client.
"""

from ingest_assets.adapters.providers.llamaparse.provider import PROVIDER as LLAMAPARSE
from ingest_assets.adapters.providers.openai.provider import PROVIDER as OPENAI

PROVIDERS = (OPENAI, LLAMAPARSE)
"""In the order in which they are told of and, of several that have a key, chosen."""

__all__ = ["LLAMAPARSE", "OPENAI", "PROVIDERS"]
