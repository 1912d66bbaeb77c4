"""Embeddings of OpenAI, and of any server that speaks its protocol."""

from ingest_assets.adapters.providers.openai.embedder import OpenAIEmbedder
from ingest_assets.adapters.providers.openai.models import OpenAISettings

__all__ = ["OpenAIEmbedder", "OpenAISettings"]
