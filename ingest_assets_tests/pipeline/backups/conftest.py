"""A folder for backups, and an empty place to restore them into."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.composition import Deployment
from ingest_assets_tests.conftest import deployment_for, settings_for


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def empty_place(empty_database_url: str, tmp_path: Path, parser: LocalParser) -> Iterator[Deployment]:
    """A deployment on a database without a schema, with a home that does not exist yet."""
    with deployment_for(settings_for(empty_database_url, tmp_path / "restored"), parser) as made:
        yield made
