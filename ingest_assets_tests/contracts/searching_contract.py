"""What every search index must find."""

from uuid import uuid4

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import ChunkId, DocumentId, Producer, UserId
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
        assert index.hits(other_user, chunk_ids) == []


def chunk_of(deployment: Deployment, document_id: DocumentId) -> ChunkId:
    [chunk] = deployment.chunk_buffer.load(document_id)
    return chunk.chunk_id
