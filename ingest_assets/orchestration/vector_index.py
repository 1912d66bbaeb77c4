"""The index over all documents' vectors, as Dagster shows it. It has no partitions, so no document's run makes it."""

import dagster as dg

from ingest_assets.domain.search.index_policy import IndexAction
from ingest_assets.orchestration.assets.finalized_chunks import finalized_chunks
from ingest_assets.orchestration.claims import shown_as_failure
from ingest_assets.pipeline.vector_index import IndexKeeper

vector_index = dg.AssetSpec(
    "vector_index",
    deps=[finalized_chunks],
    description="Finds nearest vectors for users with very many. Drain runs and keep_vector_index maintain it.",
    kinds={"postgres", "pgvector"},
    group_name="ingest",
    owners=["team:data-platform"],
)


@dg.op(description="Builds or drops the vector index as the policy says, and repairs what an interruption left.")
def keep_index_as_needed(context: dg.OpExecutionContext, index_keeper: dg.ResourceParam[IndexKeeper]) -> None:
    with shown_as_failure():
        action = index_keeper.keep()
    done = "left to another process" if action is None else action.value
    context.add_output_metadata({"action": done})
    if action in (IndexAction.BUILD, IndexAction.DROP):
        context.log_event(dg.AssetMaterialization(vector_index.key, metadata={"action": done}))


@dg.job(description="Maintains the vector index: builds it after a load, and repairs it after a crash.")
def keep_vector_index() -> None:
    keep_index_as_needed()
