"""The pipeline as Dagster shows it: four assets, one partition per document."""

from ingest_assets.orchestration.assets.chunks import chunks
from ingest_assets.orchestration.assets.embeddings import embeddings
from ingest_assets.orchestration.assets.finalized_chunks import finalized_chunks
from ingest_assets.orchestration.assets.parsed_markdown import parsed_markdown

ASSETS = [parsed_markdown, chunks, embeddings, finalized_chunks]

__all__ = ["ASSETS", "chunks", "embeddings", "finalized_chunks", "parsed_markdown"]
