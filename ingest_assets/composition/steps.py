"""The steps with their ports."""

from typing import TYPE_CHECKING, Any

from ingest_assets.pipeline.steps import STEPS
from ingest_assets.pipeline.steps.chunk import Chunk
from ingest_assets.pipeline.steps.commit import Commit
from ingest_assets.pipeline.steps.embed import Embed
from ingest_assets.pipeline.steps.parse import Parse
from ingest_assets.pipeline.steps.step import Step

if TYPE_CHECKING:
    from ingest_assets.composition.deployment import Deployment


def make_steps(parts: "Deployment") -> dict[str, Step[Any]]:
    """Return the steps by asset, in the order of STEPS."""
    common: dict[str, Any] = {"progress": parts.progress, "clock": parts.clock, "observer": parts.observer}
    buffers: dict[str, Any] = {"chunk_buffer": parts.chunk_buffer, "vector_buffer": parts.vector_buffer}
    made: tuple[Step[Any], ...] = (
        Parse(
            documents=parts.documents,
            objects=parts.objects,
            parser=parts.parser,
            attachments=parts.attachments,
            **common,
        ),
        Chunk(chunk_buffer=parts.chunk_buffer, chunker=parts.chunker, **common),
        Embed(vector_buffer=parts.vector_buffer, embedder=parts.embedder, **common),
        Commit(embedder=parts.embedder, **buffers, **common),
    )
    by_kind = {type(step): step for step in made}
    return {kind.asset: by_kind[kind] for kind in STEPS}
