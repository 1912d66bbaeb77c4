"""Whether documents flow, and whether all that is stored agrees."""

import dagster as dg

from ingest_assets.domain.queue.flow import Verdict, verdict_on
from ingest_assets.orchestration.claims import shown_as_failure
from ingest_assets.orchestration.vector_index import vector_index
from ingest_assets.pipeline.ports.checking import Inspection
from ingest_assets.pipeline.ports.operating import Flows, Pauses

STALE_SECONDS = 900
"""A document that waits for longer shows that the queue does not keep up, or stands still."""


@dg.asset_check(
    asset=vector_index.key,
    description="No document has waited for more than 15 minutes, unless somebody has paused the queue.",
)
def queue_is_fresh(flows: dg.ResourceParam[Flows], pauses: dg.ResourceParam[Pauses]) -> dg.AssetCheckResult:
    with shown_as_failure():
        flow, paused = flows.flow(), pauses.all()
    since = flow.waiting_since
    waited = 0.0 if since is None else (flow.at - since).total_seconds()
    verdict = verdict_on(flow, paused)
    return dg.AssetCheckResult(
        passed=waited <= STALE_SECONDS or bool(paused),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "verdict": verdict.value,
            "waiting": flow.waiting,
            "waiting_seconds": waited,
            "working": flow.working,
            "retrying": flow.retrying,
            "done_per_minute": flow.per_minute,
            "pauses": len(paused),
        }
        | ({"fix": "ingest doctor"} if verdict is Verdict.UNATTENDED else {}),
    )


@dg.asset_check(
    asset=vector_index.key,
    description="Nothing is stored that must never be: documents without a job, versions that are not whole, vectors "
    "of several models or not of length one, budgets that disagree with the ledger.",
)
def rows_agree(stored_rows: dg.ResourceParam[Inspection]) -> dg.AssetCheckResult:
    with shown_as_failure():
        found = {finding.kind: finding.count for finding in stored_rows.inspect()}
    return dg.AssetCheckResult(
        passed=not found,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata=found | ({"fix": "ingest doctor --deep"} if found else {}),
    )


check_queue = dg.define_asset_job(
    "check_queue",
    selection=dg.AssetSelection.checks(queue_is_fresh),
    description="Checks that no document waits for too long.",
)
check_rows = dg.define_asset_job(
    "check_rows",
    selection=dg.AssetSelection.checks(rows_agree),
    description="Looks for what must never happen: the part of `ingest doctor --deep` that reads only the database.",
)
