"""The pipeline's ports and values as Dagster resources, with the names that they have in the composition."""

from typing import Any

import dagster as dg

from ingest_assets.composition import Deployment

PARTS = (
    "alerting",
    "backlog",
    "chunk_buffer",
    "chunking",
    "claims",
    "clock",
    "deletion",
    "deletions",
    "drain",
    "embedder",
    "failures",
    "flows",
    "index_keeper",
    "instance_name",
    "instances",
    "lease",
    "listings",
    "objects",
    "partition_steps",
    "partitions",
    "pauses",
    "providers",
    "remote_upkeep",
    "reports",
    "search_index",
    "stored_rows",
    "summarising",
    "sweep",
    "vector_buffer",
    "vector_samples",
)


def resources_of(deployment: Deployment) -> dict[str, Any]:
    """Return a resource for each part, which is made when a run or a tick first needs it."""
    return {name: _resource(deployment, name) for name in PARTS}


def _resource(deployment: Deployment, name: str) -> dg.ResourceDefinition:
    return dg.ResourceDefinition(lambda _: getattr(deployment, name))
