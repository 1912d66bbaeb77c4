"""What people type, and what they find."""

from threading import Barrier

import pytest

from ingest_assets.adapters.lexical_embedder import LexicalEmbedder
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import ChunkId, UserId, Vectors
from ingest_assets.pipeline.ports.searching import Documents
from ingest_assets.pipeline.search import Search
from ingest_assets_tests.documents import ingest, policy_text


def found(deployment: Deployment, user: UserId, query: str, limit: int = 5) -> list[str]:
    hits = deployment.search.passages(user, query, limit)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    return [hit.text for hit in hits]


@pytest.fixture
def library(deployment: Deployment, user: UserId) -> Deployment:
    ingest(deployment, user, "# Dental plan\n\nCrowns are covered at half their price.\n", "dental.md")
    ingest(deployment, user, "# Travel plan\n\nLost luggage is replaced within a week.\n", "travel.md")
    ingest(deployment, user, "# Motor plan\n\nThe windscreen is repaired free of charge.\n", "motor.md")
    return deployment


def test_a_question_finds_the_passage_that_answers_it(library: Deployment, user: UserId) -> None:
    assert "luggage" in found(library, user, "What is covered when my luggage is lost?")[0]


@pytest.mark.parametrize("asked", ["Mueller", "MÜLLER", "Hauptstrasse", "HAUPTSTRASSE"])
def test_german_words_are_found_in_either_spelling(library: Deployment, user: UserId, asked: str) -> None:
    ingest(library, user, "# Schaden\n\nFamilie Müller wohnt in der Hauptstraße.\n", "schaden.md")

    assert "Müller" in found(library, user, asked)[0]


def test_the_name_of_the_document_counts(library: Deployment, user: UserId) -> None:
    assert "windscreen" in found(library, user, "motor")[0]


def test_no_more_passages_come_than_were_asked_for(library: Deployment, user: UserId) -> None:
    assert len(found(library, user, "plan", limit=2)) == 2


def test_a_query_of_nothing_but_common_words_still_finds_something(library: Deployment, user: UserId) -> None:
    assert found(library, user, "plan cover")


@pytest.mark.parametrize(
    "query", ["it's", "a & b | !c", "(((", "'; DROP TABLE x; --", "\\", "crowns:*", "<->", "?", "é 保険", "x" * 5000]
)
def test_no_query_is_read_as_an_instruction(library: Deployment, user: UserId, query: str) -> None:
    found(library, user, query)


def test_hits_tell_where_they_come_from(deployment: Deployment, user: UserId) -> None:
    document_id = ingest(deployment, user, policy_text("Emergency care"), "Emergency plan.md")
    [hit] = deployment.search.passages(user, "clause 5", 1)
    assert (hit.document_id, hit.filename, hit.page) == (document_id, "Emergency plan.md", None)
    assert hit.heading_path[0] == "Emergency care policy"


def test_a_user_without_documents_finds_nothing(library: Deployment, other_user: UserId) -> None:
    assert found(library, other_user, "crowns") == []


def test_words_are_matched_while_the_query_is_embedded(library: Deployment, user: UserId) -> None:
    """Each waits for the other to have begun."""
    both = Barrier(2)
    index, embedder = library.search_index, library.embedder

    class Meeting:
        def matching(self, user_id: UserId, query_text: str, limit: int, documents: Documents = None) -> list[ChunkId]:
            both.wait(timeout=30)
            return index.matching(user_id, query_text, limit, documents)

        nearest, numbered, hits = index.nearest, index.numbered, index.hits
        documents_that_meet = index.documents_that_meet

    class Waiting(LexicalEmbedder):
        def embed_query(self, query: str, user_id: UserId) -> Vectors:
            both.wait(timeout=30)
            return embedder.embed_query(query, user_id)

    assert Search(Meeting(), Waiting()).passages(user, "luggage", 5)
