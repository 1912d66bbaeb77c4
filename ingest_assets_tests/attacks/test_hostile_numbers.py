"""A text of digits that no index takes: its document would fail for ever, whatever else is in it."""

from random import Random

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.text.chunking import ChunkingSettings
from ingest_assets_tests.documents import ingest, status_of

RANDOM = Random(7)  # noqa: S311
THREES = [f"{RANDOM.randrange(1000):03}" for _ in range(2000)]
"""Postgres would make a key of digits that repeat themselves short enough."""


@pytest.mark.parametrize("joint", ["", ".", ",", " ", "'", "-", "/", "_", ":", "#"])
def test_an_endless_number_leaves_its_document_searchable(deployment: Deployment, user: UserId, joint: str) -> None:
    long = deployment.replacing(chunking=ChunkingSettings(20_000, 0))
    document_id = ingest(long, user, f"The walrus.\n\n7{joint}{joint.join(THREES)}")
    assert status_of(long, document_id).searchable
    assert long.search.passages(user, "walrus", 1)
