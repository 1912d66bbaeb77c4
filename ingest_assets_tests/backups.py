"""Backups of the tests' deployments, and places to restore them into."""

from pathlib import Path
from typing import Any
from uuid import uuid4

from ingest_assets.composition import Deployment
from ingest_assets.composition.backups import backups_in, make_backup, make_restoration
from ingest_assets.domain.documents.document import UserId
from ingest_assets.pipeline.backup import MadeBackup
from ingest_assets.pipeline.restoration import Restored
from ingest_assets_tests.documents import TEST


def silent(step: str, done: int, total: int) -> None:
    """Hears of the progress, and shows nothing."""


def back_up(deployment: Deployment, folder: Path, tell: Any = silent) -> MadeBackup:
    backup_id = uuid4()
    with backups_in(folder, deployment).making(backup_id) as new:
        return make_backup(deployment).make(new, backup_id, tell)


def restore(folder: Path, deployment: Deployment, tell: Any = silent) -> Restored:
    return make_restoration(deployment).restore(backups_in(folder, deployment).newest(), TEST, tell)


def found_by(deployment: Deployment, user: UserId, query: str) -> list[tuple[str, float]]:
    """What a search finds: texts, each with its score."""
    return [(hit.text, round(hit.score, 9)) for hit in deployment.search.passages(user, query, 10)]


def folder_of_newest(folder: Path) -> Path:
    return max(each for each in folder.iterdir() if each.is_dir())


def objects_of(deployment: Deployment) -> dict[str, bytes]:
    """What the store holds, as it holds it."""
    store = deployment.sealed_objects
    return {each.key: store.get(each.key) for each in store.listed()}
