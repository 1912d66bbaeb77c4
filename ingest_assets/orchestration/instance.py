"""The Dagster instance of a deployment: its home, its settings and its storage."""

import os
from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.orchestration.dagster_internals import install
from ingest_assets.orchestration.dagster_internals.storage_ids import storage_id
from ingest_assets.orchestration.dagster_internals.tables import delete_check_results, delete_partitions
from ingest_assets.orchestration.partitions import documents
from ingest_assets.posix.files import replacing
from ingest_assets.posix.private_folders import keep_private
from ingest_assets.shipped import shipped

Instance = dg.DagsterInstance


def prepare_instance(home: Path, storage_url: str, *, in_cluster: bool = False) -> dg.DagsterInstance:
    """Create the instance if it does not exist, and make this process and its children use it.

    Args:
        home: The folder for the instance's settings, which is created.
        storage_url: Dagster's database as a SQLAlchemy URL with the driver psycopg2.
        in_cluster: Whether workers on many hosts execute the runs; INGEST_BROKER_URL then names the broker.
    """
    install()
    keep_private(home)
    configuration = shipped("dagster.yaml").read_text()
    if in_cluster:
        configuration = overlaid(configuration, shipped("dagster.cluster.yaml").read_text())
    _place(configuration, home / "dagster.yaml")
    _place(shipped("workspace.yaml").read_text(), home / "workspace.yaml")
    os.environ |= {
        "DAGSTER_HOME": str(home),
        "INGEST_DAGSTER_DATABASE_URL": storage_url,
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    return dg.DagsterInstance.from_config(str(home))


def dagster_id(instance: dg.DagsterInstance) -> str:
    """Return Dagster's own id of its storage: instances that share a database share it."""
    return storage_id(instance)


def overlaid(configuration: str, changes: str) -> str:
    """Return a YAML text whose sections, divided by empty lines, are replaced by those of the same name."""
    changed = {_name_of(section): section for section in changes.strip().split("\n\n")}
    return "\n\n".join(changed.get(_name_of(each), each) for each in configuration.strip().split("\n\n")) + "\n"


def _name_of(section: str) -> str:
    lines = (line for line in section.splitlines() if not line.startswith("#"))
    return next(lines, "").partition(":")[0]


def _place(text: str, target: Path) -> None:
    """Write a file unless it is the same already. Another process may read it at the same time."""
    if target.exists() and target.read_text() == text:
        return
    with replacing(target) as file:
        file.write_text(text)


def unlist(instance: dg.DagsterInstance, keys: Sequence[str]) -> None:
    """Delete the partitions of these documents."""
    delete_partitions(instance, str(documents.name), keys)


def delete_run(instance: dg.DagsterInstance, run_id: str, checks: Sequence[dg.AssetCheckKey]) -> None:
    """Delete a run with its events. The run itself goes last, so that it is found again after a crash."""
    delete_check_results(instance, run_id, checks)
    instance.event_log_storage.delete_events(run_id)
    instance.run_storage.delete_run(run_id)


def unlist_documents(document_ids: Sequence[DocumentId]) -> None:
    """Delete the partitions of deleted documents in the instance that `prepare_instance` has prepared."""
    with dg.DagsterInstance.get() as instance:
        unlist(instance, [str(document_id) for document_id in document_ids])
