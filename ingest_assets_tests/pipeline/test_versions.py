"""What an edit costs, and what readers see meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from ingest_assets.adapters.lexical_embedder import LexicalEmbedder
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import AcceptanceStatus, Document, DocumentId, UserId, Vectors
from ingest_assets_tests.documents import drain_all, ingest, policy_text, submit, take_through

LEASE = timedelta(seconds=30)


@dataclass
class CountingEmbedder(LexicalEmbedder):
    """The real embedder, with a note of what it was asked to embed."""

    embedded: list[str] = field(default_factory=list)

    def embed(self, texts: Sequence[str], document: Document) -> Vectors:
        self.embedded.extend(texts)
        return super().embed(texts, document)


def texts(deployment: Deployment, user: UserId, query: str) -> str:
    hits = deployment.search.passages(user, query, 10)
    return "\n".join(hit.text for hit in hits)


def test_the_same_content_again_makes_no_job(deployment: Deployment, user: UserId) -> None:
    first = submit(deployment, user, policy_text())
    drain_all(deployment)
    again = submit(deployment, user, policy_text())
    assert again.status is AcceptanceStatus.UNCHANGED
    assert (again.document_id, again.job_id) == (first.document_id, first.job_id)
    assert deployment.backlog.unfinished() == 0


def test_a_copy_under_another_name_is_the_same_document(deployment: Deployment, user: UserId) -> None:
    first = submit(deployment, user, policy_text(), "a.md")
    copy = submit(deployment, user, policy_text(), "b.md")
    assert copy.status is AcceptanceStatus.UNCHANGED
    assert copy.document_id == first.document_id


def test_editing_one_of_two_copies_leaves_the_other_searchable(deployment: Deployment, user: UserId) -> None:
    first = submit(deployment, user, policy_text(), "a.md")
    submit(deployment, user, policy_text(), "b.md")
    edited = submit(deployment, user, policy_text() + "\nA yeti clause.\n", "b.md")
    drain_all(deployment)
    assert edited.status is AcceptanceStatus.QUEUED
    assert edited.document_id != first.document_id
    assert deployment.documents.counts() == {"documents": 2, "searchable": 2, "dead_letters": 0}


def test_the_same_content_of_two_users_is_two_documents(
    deployment: Deployment, user: UserId, other_user: UserId
) -> None:
    mine, theirs = submit(deployment, user, policy_text()), submit(deployment, other_user, policy_text())
    assert theirs.status is AcceptanceStatus.QUEUED
    assert mine.document_id != theirs.document_id


def test_an_edit_embeds_only_the_chunks_that_changed(deployment: Deployment, user: UserId) -> None:
    embedder = CountingEmbedder()
    deployment = deployment.replacing(embedder=embedder)
    text = policy_text(paragraphs=40)
    document_id = ingest(deployment, user, text)
    everything = len(embedder.embedded)
    embedder.embedded.clear()
    accepted = submit(deployment, user, text.replace("Clause 20 of", "Clause twenty of"))
    assert accepted.status is AcceptanceStatus.NEW_VERSION
    assert accepted.document_id == document_id
    drain_all(deployment)
    assert 1 <= len(embedder.embedded) <= 3 < everything / 4
    assert all("twenty" in text or "Clause 19" in text or "Clause 21" in text for text in embedder.embedded)


def test_the_old_text_stays_searchable_until_the_swap(deployment: Deployment, user: UserId) -> None:
    document_id = ingest(deployment, user, policy_text() + "\nWe cover the walrus.\n")
    submit(deployment, user, policy_text() + "\nWe cover the narwhal.\n")
    [job] = deployment.claims.claim("by hand", 1, LEASE)
    take_through(deployment, job, "parsed_markdown", "chunks", "embeddings")
    between = texts(deployment, user, "walrus narwhal")
    assert "walrus" in between
    assert "narwhal" not in between
    deployment.claims.release("by hand")
    drain_all(deployment)
    after = texts(deployment, user, "walrus narwhal")
    assert "narwhal" in after
    assert "walrus" not in after
    status = deployment.documents.status(document_id)
    assert status is not None
    assert (status.version, status.live_version) == (2, 2)


def test_an_edit_leaves_the_rows_of_unchanged_chunks_in_place(
    deployment: Deployment, user: UserId, database_url: str
) -> None:
    text = policy_text(paragraphs=40)
    document_id = ingest(deployment, user, text)
    before = rows(database_url, document_id)
    submit(deployment, user, text + "\nOne more sentence at the end.\n")
    drain_all(deployment)
    after = rows(database_url, document_id)
    assert len(before.items() & after.items()) >= len(before) - 2


def rows(database_url: str, document_id: DocumentId) -> dict[str, str]:
    """Physical places by chunk id."""
    database = Database(database_url)
    with database.connection() as connection:
        found = connection.execute(
            "SELECT chunk_id, ctid FROM upload_pipeline.document_chunks WHERE document_id = %s", [document_id]
        ).fetchall()
    database.close()
    return {str(row["chunk_id"]): str(row["ctid"]) for row in found}


def test_a_new_version_takes_the_claim_from_a_worker_on_the_old_one(deployment: Deployment, user: UserId) -> None:
    submit(deployment, user, policy_text())
    [old] = deployment.claims.claim("slow worker", 1, LEASE)
    accepted = submit(deployment, user, policy_text("Dental"))
    assert accepted.status is AcceptanceStatus.NEW_VERSION
    assert deployment.claims.hold(old.document.document_id, "slow worker", LEASE) is None
    drain_all(deployment)
    assert "Dental" in texts(deployment, user, "dental")


def test_a_vector_of_another_user_is_never_taken_over(deployment: Deployment, user: UserId, other_user: UserId) -> None:
    ingest(deployment, other_user, policy_text())
    embedder = CountingEmbedder()
    ingest(deployment.replacing(embedder=embedder), user, policy_text())
    assert embedder.embedded


def test_a_user_finds_only_their_own_documents(deployment: Deployment, user: UserId, other_user: UserId) -> None:
    ingest(deployment, other_user, policy_text("Walrus"))
    ingest(deployment, user, policy_text("Dental"))
    assert "walrus" not in texts(deployment, user, "walrus policy").lower()
