"""The one IO manager: an asset's step stores and loads its value, as it does in a drain run."""

from typing import Any

import dagster as dg

from ingest_assets.domain.queue.jobs import without_text
from ingest_assets.orchestration.blame import blaming_only
from ingest_assets.orchestration.claims import claim_of, shown_as_failure
from ingest_assets.orchestration.partitions import document_id_of
from ingest_assets.pipeline.partition_steps import PartitionSteps


class StepIOManager(dg.IOManager):
    """Stores and loads through the asset's step. The payload of the stored event becomes the asset's metadata."""

    def __init__(self, steps: PartitionSteps) -> None:
        self._steps = steps

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        run, instance = context.step_context.dagster_run, context.step_context.instance
        asset = context.asset_key.to_user_string()
        with blaming_only(asset, run, instance), shown_as_failure(self._steps, context.partition_key):
            document_id = document_id_of(context.partition_key)
            is_last = not self._is_continued(run, asset)
            claim = claim_of(run, instance, self._steps, document_id)
            payload = self._steps.store(asset, document_id, claim, obj, is_last=is_last)
        context.add_output_metadata(without_text(payload))

    def load_input(self, context: dg.InputContext) -> Any:
        with shown_as_failure(self._steps, context.partition_key):
            return self._steps.load(context.asset_key.to_user_string(), document_id_of(context.partition_key))

    def _is_continued(self, run: dg.DagsterRun, asset: str) -> bool:
        """Return whether the run also makes the next asset; a person may have selected only some."""
        successor = self._steps.successor(asset)
        return successor is None or not run.asset_selection or dg.AssetKey(successor) in run.asset_selection


@dg.io_manager(required_resource_keys={"partition_steps"})
def step_io_manager(context: dg.InitResourceContext) -> StepIOManager:
    """Return the IO manager of all four assets."""
    return StepIOManager(context.resources.partition_steps)
