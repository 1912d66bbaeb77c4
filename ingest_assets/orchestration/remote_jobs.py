"""Look after jobs at providers that keep them."""

from dataclasses import asdict

import dagster as dg

from ingest_assets.pipeline.remote_upkeep import RemoteUpkeep


@dg.op(description="Books bills that came late, and removes at providers what no document needs any more.")
def settle_with_providers(
    context: dg.OpExecutionContext, remote_upkeep: dg.ResourceParam[RemoteUpkeep]
) -> dict[str, int]:
    looked_after = asdict(remote_upkeep.look_after())
    context.add_output_metadata(looked_after)
    return looked_after


@dg.job(description="Books late bills of providers, and removes jobs there that no document needs any more.")
def settle_remote_jobs() -> None:
    settle_with_providers()
