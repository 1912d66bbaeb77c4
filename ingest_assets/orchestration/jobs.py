"""The two ways through the pipeline: one run per document, and drain runs for a backlog."""

import threading
from datetime import timedelta
from functools import partial
from typing import Any

import dagster as dg
from pydantic import Field

from ingest_assets.domain.queue.lanes import Lane
from ingest_assets.orchestration.assets import ASSETS
from ingest_assets.orchestration.batch_reporting import report_all
from ingest_assets.orchestration.failed_documents import FailedDocuments, overheard
from ingest_assets.orchestration.instance import dagster_id
from ingest_assets.pipeline.drain import Drain, DrainLimits
from ingest_assets.pipeline.ports.reporting import Reports

ingest_document = dg.define_asset_job(
    "ingest_document",
    selection=dg.AssetSelection.assets(*ASSETS),
    description="Takes one document through the four assets.",
)


CLAIMING_SECONDS = 900.0
"""How long a drain run claims documents, unless its configuration says otherwise."""


class DrainConfig(dg.Config):
    """The limits of a drain run, as the launchpad shows them."""

    in_flight: int = Field(
        default=4, description="How many documents compute at once. Documents that wait for providers come on top."
    )
    ahead: int = Field(
        default=4, description="How many documents to claim ahead. A small number lets the next user have a turn soon."
    )
    idle_seconds: float = Field(
        default=10, description="How long the run waits for more documents before it ends, in seconds."
    )
    duration_seconds: float = Field(
        default=CLAIMING_SECONDS,
        description="After how many seconds the run claims no more documents, finishes, and ends.",
    )
    lane: Lane | None = Field(
        default=None,
        description="The kind of work that the run does; by default, it takes documents through all of them.",
    )
    until_empty: bool = Field(
        default=False, description="Whether the run also waits for retries that are not due, and for others' documents."
    )


@dg.op(description="Claims queued documents and takes several at once through the four steps, until none are left.")
def drain_documents(
    context: dg.OpExecutionContext,
    config: DrainConfig,
    drain: dg.ResourceParam[Drain],
    reports: dg.ResourceParam[Reports],
) -> dict[str, int]:
    limits = DrainLimits(
        in_flight=config.in_flight,
        ahead=config.ahead,
        idle=timedelta(seconds=config.idle_seconds),
        duration=timedelta(seconds=config.duration_seconds),
        until_empty=config.until_empty,
        lane=config.lane,
    )
    failed = FailedDocuments(drain.attempts.observer)
    report = partial(_report_all, context, reports, dagster_id(context.instance), failed)
    try:
        totals = overheard(drain, failed).run(context.run_id, limits, stop=threading.Event(), report=report)
    finally:
        failed.log_new(context.log)
    summary = {"done": totals.done, "failed": totals.failed, "released": totals.released, "left": totals.left}
    context.add_output_metadata(summary | failed.metadata())
    return summary


def _report_all(context: dg.OpExecutionContext, reports: Reports, here: str, failed: FailedDocuments) -> None:
    failed.log_new(context.log)
    report_all(context, reports, here)


@dg.job(description="Processes a backlog: many documents in one run. If one fails, the others are not affected.")
def drain_queue() -> None:
    drain_documents()


def drain_config(lane: Lane | None = None, **limits: float | bool) -> dict[str, Any]:
    """Return a drain run's configuration, with these limits instead of DrainConfig's defaults."""
    of_lane = {} if lane is None else {"lane": lane.name}
    return {"ops": {drain_documents.name: {"config": limits | of_lane}}}
