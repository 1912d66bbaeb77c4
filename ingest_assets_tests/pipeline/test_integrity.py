"""What breaks an invariant is found by its name alone, and nothing is found where nothing is wrong."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.integrity import OF_ROWS, OF_STORE, SHOWN, Finding
from ingest_assets.domain.queue.histories import first_illegal
from ingest_assets.domain.queue.retry_policy import Decision, GiveUp, RetryAt
from ingest_assets.domain.spending.circuit_breaker import CallOutcome
from ingest_assets.domain.spending.costs import Usage
from ingest_assets.domain.spending.providers import ProviderName
from ingest_assets.pipeline.ports.checking import Inspection, StoredDocuments, ToldOutcomes
from ingest_assets.pipeline.stored_objects import content_key, parse_key
from ingest_assets_tests.contracts.checking_contract import (
    InspectionContract,
    StoredDocumentsContract,
    ToldOutcomesContract,
)
from ingest_assets_tests.contracts.claiming_contract import CORRUPT, fill
from ingest_assets_tests.documents import (
    LEASE,
    TEST,
    claim_one,
    drain_all,
    ingest,
    policy_text,
    submit,
    take_through,
)

OPENAI = ProviderName("openai")


class TestStoredRows(InspectionContract):
    @pytest.fixture
    def inspection(self, deployment: Deployment) -> Inspection:
        return deployment.integrity.inspections[0]


class TestStoredBytes(InspectionContract):
    @pytest.fixture
    def inspection(self, deployment: Deployment) -> Inspection:
        return deployment.integrity.inspections[1]


class TestSweptStore(InspectionContract):
    @pytest.fixture
    def inspection(self, deployment: Deployment) -> Inspection:
        return deployment.integrity.inspections[2]


class TestPostgresStoredDocuments(StoredDocumentsContract):
    @pytest.fixture
    def stored(self, deployment: Deployment) -> StoredDocuments:
        return deployment.stored_documents


class TestPostgresToldOutcomes(ToldOutcomesContract):
    @pytest.fixture
    def told(self, deployment: Deployment) -> ToldOutcomes:
        return deployment.told_outcomes


@dataclass
class Broken:
    """A deployment with one finished document, in which something is going to be broken."""

    deployment: Deployment
    user: UserId
    document_id: DocumentId = field(init=False)

    def __post_init__(self) -> None:
        self.document_id = ingest(self.deployment, self.user, policy_text(paragraphs=24), "finished.md")

    def change(self, statement: str, **values: Any) -> int:
        """Change rows as the owner could, but nobody does; return how many."""
        names = {"document": self.document_id, "user": self.user} | values
        with psycopg.connect(self.deployment.settings.database_url.get_secret_value()) as connection:  # type: ignore[union-attr]
            connection.execute("SET LOCAL search_path = upload_pipeline, public")
            changed = connection.execute(statement.encode(), names).rowcount
        assert changed
        return changed

    def waiting(self, name: str = "waiting") -> DocumentId:
        """Submit another document, which waits."""
        return submit(self.deployment, self.user, policy_text(name), f"{name}.md").document_id

    def failed(self, decision: Decision) -> DocumentId:
        """Submit another document, which fails."""
        document_id = self.waiting("failed")
        self.deployment.claims.settle(claim_one(self.deployment), decision, CORRUPT, reported=False)
        return document_id

    def buffered(self) -> DocumentId:
        """Submit another document, which waits with its chunks and vectors buffered."""
        document_id = self.waiting("buffered")
        take_through(self.deployment, claim_one(self.deployment), "parsed_markdown", "chunks", "embeddings")
        self.deployment.claims.release("worker")
        return document_id

    def left_behind(self, age: timedelta) -> DocumentId:
        """Leave bytes of a document that nobody knows."""
        document_id = DocumentId(uuid4())
        self.deployment.objects.put(f"{self.user}/{document_id}/{'a' * 64}", b"bytes")
        seconds = (datetime.now(UTC) - age).timestamp()
        for path in (self.deployment.settings.objects_folder / str(self.user) / str(document_id)).iterdir():
            os.utime(path, (seconds, seconds))
        return document_id

    def called(self, micro_usd: int = 7) -> int:
        """Pay for a call."""
        with self.deployment.paid_calls.begin(OPENAI, Usage(micro_usd=9), self.user, self.document_id) as call:
            call.settle(Usage(micro_usd=micro_usd))
        return micro_usd


COPY = """INSERT INTO document_chunk_buffer
SELECT document_id, chunk_ord, chunk_id, user_id, chunker_name, chunker_version, title, heading_path, page,
    start_offset, end_offset, text, chunk_sha FROM document_chunks WHERE document_id = %(document)s"""
VECTOR = """INSERT INTO document_vector_buffer
SELECT DISTINCT ON (chunk_sha) document_id, chunk_sha, embed_model, embed_version, user_id, vector_dim, embedding
FROM document_chunks WHERE document_id = %(document)s"""
EVENT = """INSERT INTO events (document_id, job_id, user_id, version, stage, state, actor)
SELECT document_id, job_id, user_id, %(version)s, %(stage)s, %(state)s, 'nobody'
FROM upload_jobs WHERE document_id = %(document)s"""

BREACHES: dict[str, Callable[[Broken], object]] = {
    "document_without_job": lambda it: it.change("DELETE FROM upload_jobs"),
    "job_of_other_version": lambda it: it.change("UPDATE documents SET version = 2, live_version = 2"),
    "done_but_not_live": lambda it: it.change("UPDATE documents SET live_version = NULL"),
    "retry_too_far_ahead": lambda it: it.failed(RetryAt(datetime.now(UTC) + timedelta(days=3))),
    "lease_long_expired": lambda it: (
        it.waiting(),
        it.deployment.claims.claim("silent", 1, -2 * it.deployment.lease),
    ),
    "dead_letter_without_reason": lambda it: (
        it.failed(GiveUp()),
        it.change("UPDATE upload_jobs SET error_hint = '' WHERE state = 'deadletter'"),
    ),
    "chunks_not_live": lambda it: (
        submit(it.deployment, it.user, policy_text("Newer"), "finished.md"),
        it.change("UPDATE documents SET live_version = NULL"),
    ),
    "version_not_whole": lambda it: it.change(
        "DELETE FROM document_chunks WHERE chunk_ord = (SELECT max(chunk_ord) FROM document_chunks)"
    ),
    "several_models": lambda it: it.change("UPDATE document_chunks SET embed_version = '2' WHERE chunk_ord = 0"),
    "vector_not_unit": lambda it: it.change(
        "UPDATE document_chunks SET embedding = embedding + embedding WHERE chunk_ord = 0"
    ),
    "buffer_of_done_job": lambda it: it.change(COPY),
    "rows_of_other_user": lambda it: it.change(
        "UPDATE document_chunks SET user_id = %(other)s WHERE chunk_ord = 0", other=uuid4()
    ),
    "budget_disagrees": lambda it: (it.called(), it.change("UPDATE spending SET micro_usd = 8 WHERE budget = 'user'")),
    "illegal_history": lambda it: [
        it.change(EVENT, document=it.waiting("odd"), version=1, stage=stage, state=state)
        for stage, state in (("parsing", "working"), ("queued", "queued"))
    ],
    "history_ends_elsewhere": lambda it: it.change(EVENT, version=2, stage="queued", state="queued"),
    "content_unreadable": lambda it: it.deployment.objects.put(content_key(_document(it)), b"damaged"),
    "text_unreadable": lambda it: it.deployment.objects.put(_text_key(it), b"damaged"),
    "surplus_not_swept": lambda it: it.left_behind(timedelta(days=4)),
}
"""What breaks each invariant, and no other."""


ABOUT_NO_DOCUMENT = {"budget_disagrees", "surplus_not_swept"}


def _document(it: Broken) -> Any:
    return it.deployment.documents.find(it.document_id)


def _text_key(it: Broken) -> str:
    document = _document(it)
    return parse_key(document, document.parse.parsed_sha)


def findings(deployment: Deployment) -> list[Finding]:
    return list(deployment.integrity.findings())


@pytest.fixture
def broken(deployment: Deployment, user: UserId) -> Broken:
    return Broken(deployment, user)


def test_every_invariant_is_broken_here() -> None:
    assert BREACHES.keys() == {each.name for each in OF_ROWS + OF_STORE}


@pytest.mark.parametrize("kind", BREACHES)
def test_a_breach_is_found_by_its_name_alone(broken: Broken, kind: str) -> None:
    assert findings(broken.deployment) == []
    BREACHES[kind](broken)
    [found] = findings(broken.deployment)
    assert (found.kind, found.count) == (kind, 1)
    assert len(found.document_ids) == (0 if kind in ABOUT_NO_DOCUMENT else 1)


ALSO = {
    "a gap between chunks": (
        "version_not_whole",
        "UPDATE document_chunks SET chunk_ord = 99 WHERE chunk_ord = (SELECT max(chunk_ord) FROM document_chunks)",
    ),
    "no chunk at all": ("version_not_whole", "DELETE FROM document_chunks"),
    "a vector in the buffer": ("buffer_of_done_job", VECTOR),
    "a job of somebody else": ("rows_of_other_user", "UPDATE upload_jobs SET user_id = gen_random_uuid()"),
    "a source of somebody else": ("rows_of_other_user", "UPDATE document_sources SET user_id = gen_random_uuid()"),
    "an older version live": ("done_but_not_live", "UPDATE documents SET version = 2, live_version = 1"),
}


@pytest.mark.parametrize("name", ALSO)
def test_it_is_also_found_by(broken: Broken, name: str) -> None:
    kind, statement = ALSO[name]
    broken.change(statement)
    if name == "an older version live":
        broken.change("UPDATE upload_jobs SET version = 2")
        broken.change(EVENT, version=2, stage="queued", state="queued")
    assert kind in [found.kind for found in findings(broken.deployment)]


def test_a_missing_object_is_found_as_well_as_a_damaged_one(broken: Broken, user: UserId) -> None:
    broken.deployment.objects.delete_below(f"{user}/{broken.document_id}")
    assert [found.kind for found in findings(broken.deployment)] == ["content_unreadable", "text_unreadable"]


def test_of_many_breaches_some_are_named_and_all_are_counted(broken: Broken, deployment: Deployment) -> None:
    ids = fill(deployment, broken.user, SHOWN + 2)
    deployment.claims.claim("silent", SHOWN + 2, -2 * deployment.lease)
    [found] = findings(deployment)
    assert (found.kind, found.count) == ("lease_long_expired", SHOWN + 2)
    assert list(found.document_ids) == sorted(ids)[:SHOWN]


def test_a_lease_that_has_only_just_expired_is_no_breach(broken: Broken, deployment: Deployment) -> None:
    broken.waiting()
    deployment.claims.claim("slow", 1, -deployment.lease)
    assert findings(deployment) == []


def test_what_the_next_sweep_will_remove_is_no_breach(broken: Broken, deployment: Deployment) -> None:
    broken.left_behind(timedelta(hours=25))
    assert findings(deployment) == []


def healthy_story(it: Broken) -> None:
    """Everything that may happen to documents."""
    deployment, user = it.deployment, it.user
    submit(deployment, user, policy_text("Newest"), "finished.md")
    drain_all(deployment)
    it.buffered()
    drain_all(deployment)
    deployment.operations.refresh([it.document_id], TEST)
    drain_all(deployment)
    dead = it.failed(GiveUp())
    deployment.operations.replay([dead], TEST)
    deployment.claims.claim("crashes", 1, -LEASE)
    deployment.failures.reclaim(TEST)
    drain_all(deployment)
    it.called()
    it.called(20)
    submit(deployment, user, "# Corrupt\n\nText.", "corrupt.md")
    job = claim_one(deployment)
    deployment.claims.settle(job, RetryAt(datetime.now(UTC)), CORRUPT, reported=False)
    drain_all(deployment)


def test_nothing_is_wrong_after_all_that_may_happen(broken: Broken, deployment: Deployment) -> None:
    healthy_story(broken)
    assert findings(deployment) == []
    deployment.deletion.delete(broken.document_id, TEST)
    broken.waiting()
    assert findings(deployment) == []


def test_the_database_and_the_domain_judge_histories_alike(broken: Broken, deployment: Deployment) -> None:
    healthy_story(broken)
    BREACHES["illegal_history"](broken)
    [found] = findings(deployment)
    with deployment.database.connection() as connection:
        ids = [row["document_id"] for row in connection.execute("SELECT document_id FROM upload_pipeline.documents")]
    illegal = [each for each in ids if first_illegal(deployment.documents.history(each)) is not None]
    assert illegal == list(found.document_ids)


def test_a_call_that_is_settled_twice_costs_once(broken: Broken, deployment: Deployment) -> None:
    with deployment.paid_calls.begin(OPENAI, Usage(micro_usd=9), broken.user, broken.document_id) as call:
        call.settle(Usage(micro_usd=7))
    deployment.paid_calls._end(call, CallOutcome.SUCCEEDED)
    assert findings(deployment) == []


def test_counting_the_budgets_again_mends_the_ledger(broken: Broken, deployment: Deployment) -> None:
    BREACHES["budget_disagrees"](broken)
    broken.change("DELETE FROM spending WHERE budget = 'document'")
    assert len(findings(deployment)) == 1
    deployment.ledger.recount()
    assert findings(deployment) == []


@pytest.mark.parametrize("kind", ["done_but_not_live", "version_not_whole", "several_models", "buffer_of_done_job"])
def test_making_a_version_again_mends_it(broken: Broken, deployment: Deployment, kind: str) -> None:
    BREACHES[kind](broken)
    deployment.operations.refresh([broken.document_id], TEST)
    drain_all(deployment)
    assert findings(deployment) == []
