"""The steps of the pipeline, in order. Any code that needs the list of steps reads it from STEPS."""

from typing import Any

from ingest_assets.pipeline.steps.chunk import Chunk
from ingest_assets.pipeline.steps.commit import Commit
from ingest_assets.pipeline.steps.embed import Embed
from ingest_assets.pipeline.steps.parse import Parse
from ingest_assets.pipeline.steps.step import Step

STEPS: tuple[type[Step[Any]], ...] = (Parse, Chunk, Embed, Commit)
