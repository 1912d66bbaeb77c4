"""What every observer must do."""

from concurrent.futures import ThreadPoolExecutor
from typing import get_args
from uuid import UUID

import pytest

from ingest_assets.domain.documents.document import DocumentId, Producer
from ingest_assets.domain.errors import OutageError, TransientError
from ingest_assets.domain.facts import (
    BillSurprised,
    ClaimingPaused,
    ClaimLost,
    DocumentFailed,
    DocumentFinished,
    ErrorPassedOver,
    Fact,
    IndexChanged,
    ProviderAnswered,
)
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.domain.search.index_policy import IndexAction
from ingest_assets.pipeline.ports.observing import Observer

DOCUMENT_ID = DocumentId(UUID(int=7))
FACTS: list[Fact] = [
    DocumentFinished(DOCUMENT_ID, 1, 12),
    DocumentFailed(DOCUMENT_ID, Stage.PARSING, 2, "corrupt"),
    ClaimLost(DOCUMENT_ID, "worker 100%"),
    ClaimingPaused(OutageError("storage_failed")),
    ProviderAnswered("openai", 0.25, None),
    ProviderAnswered("openai", 0.25, "service_busy"),
    BillSurprised("llamacloud", 7, 6, 3000),
    IndexChanged(Producer("a model", "1"), IndexAction.BUILD),
    ErrorPassedOver("renewing a lease", TransientError("unexpected", error="OSError", place="a test")),
]


class ObserverContract:
    @pytest.fixture
    def observer(self) -> Observer:
        raise NotImplementedError

    def test_every_kind_of_fact_is_taken_notice_of(self, observer: Observer) -> None:
        assert {type(fact) for fact in FACTS} == set(get_args(Fact))
        for fact in FACTS:
            observer.observe(fact)

    def test_any_thread_may_tell(self, observer: Observer) -> None:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(observer.observe, FACTS * 50))
