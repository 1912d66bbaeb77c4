"""Finish interrupted deletions, and check every deletion once more after a day."""

from dataclasses import asdict

import dagster as dg

from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.pipeline.deletion import Deletion


@dg.op(description="Removes what is left of deleted documents, and checks that nothing is.")
def erase_what_is_left(context: dg.OpExecutionContext, deletion: dg.ResourceParam[Deletion]) -> dict[str, int]:
    finished = asdict(deletion.finish(Actor.of_claim(context.run_id)))
    context.add_output_metadata(finished)
    return finished


@dg.job(description="Finishes interrupted deletions.")
def finish_deleted() -> None:
    erase_what_is_left()
