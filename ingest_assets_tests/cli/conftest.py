from pathlib import Path

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets_tests.cli.failing_world import World
from ingest_assets_tests.cli.in_process import Here


@pytest.fixture
def world(
    deployment: Deployment, database_url: str, tmp_path: Path, user: UserId, monkeypatch: pytest.MonkeyPatch
) -> World:
    (tmp_path / "folder").mkdir()
    return World(Here(monkeypatch, database_url, tmp_path / "home", user), deployment, tmp_path / "folder")
