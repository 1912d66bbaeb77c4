"""Partition runs and drain runs in this process, on a real instance."""

from typing import Any

import dagster as dg
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value

from ingest_assets.composition import Deployment
from ingest_assets.definitions import build_definitions
from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.orchestration.assets import ASSETS

NAMES = [asset.key.to_user_string() for asset in ASSETS]


def definitions(deployment: Deployment, **overrides: Any) -> dg.Definitions:
    return build_definitions(deployment, overrides)


def run_partition(
    deployment: Deployment, instance: dg.DagsterInstance, document_id: DocumentId | str, **arguments: Any
) -> dg.ExecuteInProcessResult:
    key = str(document_id)
    instance.add_dynamic_partitions("documents", [key])
    job = definitions(deployment).resolve_job_def("ingest_document")
    return job.execute_in_process(partition_key=key, instance=instance, raise_on_error=False, **arguments)


def run_drain(deployment: Deployment, instance: dg.DagsterInstance, **config: Any) -> dg.ExecuteInProcessResult:
    job = definitions(deployment).resolve_job_def("drain_queue")
    run_config = {"ops": {"drain_documents": {"config": {"idle_seconds": 0.0} | config}}}
    return job.execute_in_process(run_config=run_config, instance=instance, raise_on_error=False)


def materialization(instance: dg.DagsterInstance, asset: str, document_id: DocumentId) -> dg.AssetMaterialization:
    """The newest of this partition."""
    wanted = dg.AssetRecordsFilter(dg.AssetKey(asset), asset_partitions=[str(document_id)])
    [record] = instance.fetch_materializations(wanted, limit=1).records
    found = record.asset_materialization
    assert found is not None
    return found


def failed_partitions(instance: dg.DagsterInstance, asset: str, deployment: Deployment) -> set[str]:
    """As the UI counts them."""
    return partition_states(instance, asset)["failed"]


def partition_states(instance: dg.DagsterInstance, asset: str) -> dict[str, set[str]]:
    """The keys that are materialized, and those that failed, as the UI counts them."""
    definition = next(each for each in ASSETS if each.key.to_user_string() == asset)
    partitions = definition.partitions_def
    cached = get_and_update_asset_status_cache_value(instance, definition.key, partitions)
    assert cached is not None
    assert partitions is not None
    materialized = cached.deserialize_materialized_partition_subsets(partitions).get_partition_keys()
    failed = cached.deserialize_failed_partition_subsets(partitions).get_partition_keys()
    return {"materialized": set(materialized), "failed": set(failed)}
