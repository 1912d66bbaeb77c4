"""The paid providers, each in its own folder; code that must know all of them asks here.

Importing this loads no client.
"""

from ingest_assets.adapters.providers.llamacloud.provider import PROVIDER as LLAMACLOUD
from ingest_assets.adapters.providers.llamaparse.provider import PROVIDER as LLAMAPARSE
from ingest_assets.adapters.providers.openai.provider import PROVIDER as OPENAI

PROVIDERS = (OPENAI, LLAMAPARSE, LLAMACLOUD)
"""In the order in which `ingest costs` lists them; which one `auto` chooses, `composition/providers.py` says."""

__all__ = ["LLAMACLOUD", "LLAMAPARSE", "OPENAI", "PROVIDERS"]
