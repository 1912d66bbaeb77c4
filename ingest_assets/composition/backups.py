"""What backs a deployment up, and what restores a backup into one."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ingest_assets.composition.deployment import Deployment

if TYPE_CHECKING:
    from ingest_assets.adapters.backup_folder import FolderOfBackups
    from ingest_assets.adapters.postgres.backups.client_programs import ClientPrograms
    from ingest_assets.pipeline.backup import Backup
    from ingest_assets.pipeline.restoration import Restoration


def backups_in(folder: Path, deployment: Deployment) -> "FolderOfBackups":
    from ingest_assets.adapters.backup_folder import FolderOfBackups

    return FolderOfBackups(folder, deployment.clock)


def make_backup(deployment: Deployment) -> "Backup":
    from importlib.metadata import version

    from ingest_assets.adapters.object_stores.encrypted import key_of
    from ingest_assets.adapters.postgres.backups.snapshots import PostgresSnapshots
    from ingest_assets.adapters.postgres.documents.object_records import PostgresObjectRecords
    from ingest_assets.adapters.postgres.documents.store_ids import PostgresStoreIds
    from ingest_assets.pipeline.backup import Backup
    from ingest_assets.pipeline.store_ownership import StoreOwnership

    return Backup(
        PostgresSnapshots(deployment.direct_database_url, client_programs(deployment)),
        deployment.sealed_objects,
        PostgresObjectRecords(deployment.database),
        StoreOwnership(deployment.sealed_objects, PostgresStoreIds(deployment.database)),
        key_of,
        deployment.clock,
        version("ingest-assets"),
    )


def make_restoration(deployment: Deployment) -> "Restoration":
    from ingest_assets.adapters.postgres.backups.place import PostgresRestorePlace
    from ingest_assets.pipeline.restoration import Restoration
    from ingest_assets.shipped import known_migrations

    return Restoration(
        PostgresRestorePlace(deployment.direct_database_url, client_programs(deployment)),
        deployment.sealed_objects,
        lambda: deployment.deletion,
        known_migrations(),
    )


def client_programs(deployment: Deployment) -> "Callable[[int], ClientPrograms]":
    """Return what finds PostgreSQL's programs: those of one's own server first, and those that come along."""
    from ingest_assets.adapters.embedded_postgres.installation import find_installation
    from ingest_assets.adapters.postgres.backups.client_programs import fitting_programs

    found = None if deployment.settings.embedded else shutil.which("pg_dump")
    folders = [] if found is None else [Path(found).parent]
    with suppress(FileNotFoundError):  # one's own server may do without the package
        folders.append(Path(find_installation().program("pg_dump")).parent)
    return partial(fitting_programs, folders)
