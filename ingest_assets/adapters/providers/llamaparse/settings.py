"""What to ask of LlamaParse."""

from dataclasses import dataclass

from ingest_assets.adapters.providers.llamaparse.provider import PROVIDER
from ingest_assets.adapters.providers.remote_parsing.settings import RemoteParsingSettings


@dataclass(frozen=True, slots=True)
class LlamaParseSettings(RemoteParsingSettings):
    provider = PROVIDER
    revision = 1
