"""The Dagster instance of a deployment: its home, its settings, its storage."""

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

import dagster as dg

from ingest_assets.orchestration.partitions import documents
from ingest_assets.shipped import shipped


def prepare_instance(home: Path, storage_url: str) -> dg.DagsterInstance:
    """Makes this process and its children use the instance; its tables are there when this returns.

    `storage_url` as SQLAlchemy spells it, with psycopg2 for a driver.
    """
    home.mkdir(parents=True, exist_ok=True)
    for name in ("dagster.yaml", "workspace.yaml"):
        _place(shipped(name), home / name)
    os.environ |= {
        "DAGSTER_HOME": str(home),
        "INGEST_DAGSTER_DATABASE_URL": storage_url,
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    return dg.DagsterInstance.from_config(str(home))


def _place(source: Path, target: Path) -> None:
    """Whole or not at all: another process may be reading it."""
    if target.exists() and target.read_bytes() == source.read_bytes():
        return
    with NamedTemporaryFile(dir=target.parent, delete=False) as file:
        file.write(source.read_bytes())
    Path(file.name).replace(target)


def forget_partitions(instance: dg.DagsterInstance, keys: Sequence[str]) -> None:
    for key in keys:
        instance.delete_dynamic_partition(str(documents.name), key)
