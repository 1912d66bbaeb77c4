"""The index over all documents' vectors, as Dagster sees it: not one partition's, so no run of a document makes it."""

import dagster as dg

from ingest_assets.orchestration.assets.finalized_chunks import finalized_chunks
from ingest_assets.orchestration.claims import shown_as_failure
from ingest_assets.pipeline.vector_index import IndexKeeper

vector_index = dg.AssetSpec(
    "vector_index",
    deps=[finalized_chunks],
    description="Finds nearest vectors for users who have very many; drain runs and keep_vector_index look after it.",
    kinds={"postgres", "pgvector"},
    group_name="ingest",
    owners=["team:data-platform"],
)


@dg.op(description="Builds or drops the vector index as the policy says, and mends what an interruption left.")
def keep_index_as_needed(context: dg.OpExecutionContext, index_keeper: dg.ResourceParam[IndexKeeper]) -> None:
    with shown_as_failure():
        action = index_keeper.keep()
    context.add_output_metadata({"action": "left to somebody else" if action is None else action.value})


@dg.job(description="Looks after the vector index: builds it behind a load, mends it after a crash.")
def keep_vector_index() -> None:
    keep_index_as_needed()
