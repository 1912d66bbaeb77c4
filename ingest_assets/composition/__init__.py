"""The one place that chooses the adapters behind the ports. It imports and makes everything on first use."""

from ingest_assets.adapters.providers import LLAMACLOUD, LLAMAPARSE, PROVIDERS
from ingest_assets.composition.deployment import Deployment

__all__ = ["LLAMACLOUD", "LLAMAPARSE", "PROVIDERS", "Deployment", "key_patterns"]


def key_patterns() -> list[str]:
    """Return regular expressions for the keys of every provider, in use or not."""
    return [provider.key_pattern for provider in PROVIDERS]
