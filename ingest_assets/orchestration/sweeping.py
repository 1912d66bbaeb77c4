"""Compare the object store with the database, and remove objects that are of no use."""

import dagster as dg

from ingest_assets.pipeline.sweep import Sweep


@dg.op(description="Compares stored objects with documents, and removes what no document needs any more.")
def sweep_objects(context: dg.OpExecutionContext, sweep: dg.ResourceParam[Sweep]) -> dict[str, int]:
    removed = sweep.remove_surplus()
    left = sweep.compare()
    summary = {
        "removed_objects": removed.objects,
        "removed_bytes": removed.bytes,
        "objects": left.objects,
        "foreign": left.foreign,
        "incomplete_documents": left.missing,
    } | {f"{kind}_left": count for kind, count in left.surplus.items()}
    context.add_output_metadata(summary)
    return summary


@dg.job(description="Removes stored bytes that belong to no document or to a replaced version.")
def sweep_store() -> None:
    sweep_objects()
