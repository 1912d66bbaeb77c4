"""What the assets have in common: partitions, the IO manager, and running a step under the run's claim."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg

from ingest_assets.orchestration.blame import blaming_only
from ingest_assets.orchestration.claims import claim_of, refuse_dead_letter, shown_as_failure
from ingest_assets.orchestration.partitions import document_id_of, documents
from ingest_assets.pipeline.partition_steps import PartitionSteps

Steps = dg.ResourceParam[PartitionSteps]


def document_asset(
    *kinds: str, metadata: Mapping[str, Any] | None = None
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Return the decorator of an asset with a partition for each document."""
    decorate = dg.asset(
        partitions_def=documents,
        io_manager_key="step_io_manager",
        kinds=set(kinds),
        metadata=metadata,
        group_name="ingest",
        owners=["team:data-platform"],
    )
    return lambda compute: _with_place(decorate(compute))


def _with_place(asset: dg.AssetsDefinition) -> dg.AssetsDefinition:
    """Return the asset with the place of its code, which Dagster's page shows. Dagster calls that a beta."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        [placed] = dg.with_source_code_references([asset])
    assert isinstance(placed, dg.AssetsDefinition)  # noqa: S101
    return placed


def run_step(context: dg.AssetExecutionContext, steps: PartitionSteps, *before: Any) -> Any:
    """Make this partition of the asset.

    Raises:
        dg.Failure: The step failed; the document's job has been settled.
    """
    run, asset = context.run, context.asset_key.to_user_string()
    with blaming_only(asset, run, context.instance), shown_as_failure(steps, context.partition_key):
        document_id = document_id_of(context.partition_key)
        refuse_dead_letter(run, document_id, steps)
        claim = claim_of(run, context.instance, steps, document_id)
        return steps.run(asset, document_id, claim, *before)
