"""What every search index must find."""

from uuid import uuid4

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import ChunkId, DocumentId, Producer, UserId
from ingest_assets.domain.documents.metadata import parse_conditions
from ingest_assets.pipeline.ports.searching import SearchIndex
from ingest_assets_tests.documents import ingest

TEXTS = {
    "dental.md": "# Dental plan\n\nCrowns are covered at half their price.\n",
    "travel.md": "# Travel plan\n\nLost luggage is replaced within a week.\n",
    "motor.md": "# Motor plan\n\nThe windscreen is repaired free of charge.\n",
}


class SearchIndexContract:
    """A suite gives the fixture `index`: that of its deployment."""

    @pytest.fixture
    def index(self, deployment: Deployment) -> SearchIndex:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def documents(self, deployment: Deployment, user: UserId) -> dict[str, DocumentId]:
        """Short documents of one chunk each, by their names."""
        return {name: ingest(deployment, user, text, name) for name, text in TEXTS.items()}

    def test_the_nearest_chunks_come_nearest_first_and_no_more_than_asked_for(
        self, index: SearchIndex, deployment: Deployment, user: UserId, documents: dict[str, DocumentId]
    ) -> None:
        embedder = deployment.embedder
        chunks = {name: chunk_of(deployment, document_id) for name, document_id in documents.items()}
        vector = embedder.embed_query("the lost luggage of the travel plan", user)
        nearest = index.nearest(user, vector, embedder.model, 5)
        assert nearest[0] == chunks["travel.md"]
        assert set(nearest) == set(chunks.values())
        assert index.nearest(user, vector, embedder.model, 2) == nearest[:2]

    def test_vectors_of_another_model_are_never_compared(
        self, index: SearchIndex, deployment: Deployment, user: UserId
    ) -> None:
        vector = deployment.embedder.embed_query("luggage", user)
        assert index.nearest(user, vector, Producer("another model", "1"), 5) == []

    def test_chunks_match_by_words_best_first(
        self, index: SearchIndex, deployment: Deployment, user: UserId, documents: dict[str, DocumentId]
    ) -> None:
        assert index.matching(user, "luggage", 5) == [chunk_of(deployment, documents["travel.md"])]
        assert index.matching(user, "the plan's windscreen", 5)[0] == chunk_of(deployment, documents["motor.md"])
        assert len(index.matching(user, "plan", 2)) == 2

    def test_a_number_is_found_however_it_is_written(
        self, index: SearchIndex, deployment: Deployment, user: UserId
    ) -> None:
        numbered = ingest(deployment, user, "# Claims\n\nThe claim CLM-2024-0071 was closed.\n", "claims.md")
        chunk_id = chunk_of(deployment, numbered)
        assert index.numbered(user, "clm 2024 0071", 5) == {chunk_id: len("clm20240071")}
        assert index.matching(user, "luggage 0071", 5)[0] == chunk_id
        assert index.numbered(user, "luggage", 5) == {}

    def test_words_that_no_chunk_has_match_nothing(self, index: SearchIndex, user: UserId) -> None:
        assert index.matching(user, "walrus", 5) == []
        assert index.matching(user, "", 5) == []

    def test_hits_tell_where_their_chunks_come_from(
        self, index: SearchIndex, deployment: Deployment, user: UserId, documents: dict[str, DocumentId]
    ) -> None:
        wanted = [chunk_of(deployment, documents[name]) for name in ("dental.md", "motor.md")]
        hits = {hit.filename: hit for hit in index.hits(user, [*wanted, ChunkId(uuid4())])}
        assert hits.keys() == {"dental.md", "motor.md"}
        dental = hits["dental.md"]
        assert (dental.document_id, dental.chunk_id) == (documents["dental.md"], wanted[0])
        assert (dental.heading_path, dental.page) == (("Dental plan",), None)
        assert "Crowns" in dental.text

    def test_only_the_documents_that_are_given_are_searched(
        self, index: SearchIndex, deployment: Deployment, user: UserId, documents: dict[str, DocumentId]
    ) -> None:
        embedder = deployment.embedder
        vector = embedder.embed_query("plan", user)
        for name, document_id in documents.items():
            chunk_id = chunk_of(deployment, document_id)
            assert index.nearest(user, vector, embedder.model, 5, [document_id]) == [chunk_id], name
            assert index.matching(user, "crowns luggage windscreen", 5, [document_id]) == [chunk_id], name
        many = [DocumentId(uuid4()) for _ in range(1000)]
        both = [chunk_of(deployment, documents[name]) for name in ("dental.md", "motor.md")]
        chosen = [documents["dental.md"], documents["motor.md"], *many]
        assert set(index.nearest(user, vector, embedder.model, 5, chosen)) == set(both)
        assert set(index.matching(user, "plan", 5, chosen)) == set(both)

    def test_documents_are_chosen_by_their_metadata(
        self, index: SearchIndex, deployment: Deployment, user: UserId, documents: dict[str, DocumentId]
    ) -> None:
        known: dict[DocumentId, dict[str, str | None]] = {
            documents["dental.md"]: {"line": "health", "reserve": "900"},
            documents["travel.md"]: {"line": "travel", "reserve": "12000"},
        }
        deployment.intake.records.describe(user, known)

        def chosen(*conditions: str) -> set[DocumentId]:
            return set(index.documents_that_meet(user, parse_conditions(conditions)))

        assert chosen("line=health") == chosen("reserve<=900") == {documents["dental.md"]}
        assert chosen("reserve>900") == chosen("line>health") == {documents["travel.md"]}
        assert chosen("reserve>0") == known.keys()
        assert chosen("line=health", "reserve>900") == chosen("line=health", "line=travel") == set()
        assert chosen() == set(documents.values())

    def test_nobody_finds_another_users_chunks(
        self,
        index: SearchIndex,
        deployment: Deployment,
        user: UserId,
        other_user: UserId,
        documents: dict[str, DocumentId],
    ) -> None:
        vector = deployment.embedder.embed_query("luggage", user)
        chunk_ids = [chunk_of(deployment, document_id) for document_id in documents.values()]
        assert index.nearest(other_user, vector, deployment.embedder.model, 5) == []
        assert index.matching(other_user, "luggage", 5) == []
        ingest(deployment, user, "CLM-2024-0071", "claims.md")
        assert index.numbered(other_user, "CLM-2024-0071", 5) == {}
        deployment.intake.records.describe(other_user, {documents["dental.md"]: {"a": "1"}})
        deployment.intake.records.describe(user, {documents["motor.md"]: {"a": "1"}})
        assert index.documents_that_meet(user, parse_conditions(["a=1"])) == [documents["motor.md"]]
        assert index.documents_that_meet(other_user, parse_conditions(["a=1"])) == []
        assert index.nearest(other_user, vector, deployment.embedder.model, 5, list(documents.values())) == []
        assert index.matching(other_user, "luggage", 5, list(documents.values())) == []
        assert index.hits(other_user, chunk_ids) == []


def chunk_of(deployment: Deployment, document_id: DocumentId) -> ChunkId:
    [chunk] = deployment.chunk_buffer.load(document_id)
    return chunk.chunk_id
