"""LlamaParse: documents become Markdown in a paid service; https://developers.llamaindex.ai/llamaparse."""

from ingest_assets.adapters.providers.llamaparse.parser import LlamaParseParser
from ingest_assets.adapters.providers.llamaparse.settings import LlamaParseSettings, Tier

__all__ = ["LlamaParseParser", "LlamaParseSettings", "Tier"]
