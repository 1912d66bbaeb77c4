"""A new parser, other chunks, another model: only what they made is made again."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from ingest_assets.adapters.lexical_embedder import LexicalEmbedder
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Document, DocumentId, ParsedDocument, Producer, UserId, Vectors
from ingest_assets.domain.documents.outdated import FirstStep
from ingest_assets.domain.text.chunking import ChunkingSettings
from ingest_assets.pipeline.ports.providers import Parser
from ingest_assets_tests.documents import TEST, drain_all, ingest, policy_text, submit

TODAYS_MODEL, TODAYS_PARSER = Producer("lexical", "1"), Producer("local", "1")


@dataclass
class Embedder(LexicalEmbedder):
    """The real one, with a note of what it was asked to embed."""

    model: Producer = TODAYS_MODEL
    embedded: list[str] = field(default_factory=list)

    def embed(self, texts: Sequence[str], document: Document) -> Vectors:
        self.embedded.extend(texts)
        return super().embed(texts, document)


@dataclass
class NotedParser:
    """The real one, with a note of what it was asked to parse; its text ends in what its version adds."""

    local: Parser
    producer: Producer = TODAYS_PARSER
    addition: str = ""
    parsed: list[DocumentId] = field(default_factory=list)

    def producer_of(self, _media_type: str) -> Producer:
        return self.producer

    def costs_nothing(self, media_type: str) -> bool:
        return self.local.costs_nothing(media_type)

    def parse(self, content: bytes, document: Document) -> ParsedDocument:
        self.parsed.append(document.document_id)
        parsed = self.local.parse(content, document)
        return replace(parsed, text=parsed.text + self.addition, parser=self.producer)


@dataclass
class Tools:
    """A deployment whose parser and embedder note what they do."""

    deployment: Deployment
    parser: NotedParser
    embedder: Embedder

    def refresh(self) -> dict[DocumentId, FirstStep]:
        """Refreshes everything; the first steps."""
        refresh = self.deployment.refresh
        outdated = refresh.outdated()
        assert refresh.queue(outdated, TEST) == [each.document_id for each in outdated]
        drain_all(self.deployment)
        return {each.document_id: each.first_step for each in outdated}


def tools(deployment: Deployment, parser: NotedParser | None = None, embedder: Embedder | None = None) -> Tools:
    parser, embedder = parser or NotedParser(deployment.parser), embedder or Embedder()
    return Tools(deployment.replacing(parser=parser, embedder=embedder), parser, embedder)


@pytest.fixture
def document_id(deployment: Deployment, user: UserId) -> DocumentId:
    """A document that today's tools have made."""
    return ingest(tools(deployment).deployment, user, policy_text(paragraphs=20))


def test_nothing_is_outdated_where_nothing_changed(deployment: Deployment, document_id: DocumentId) -> None:
    assert tools(deployment).refresh() == {}


def test_other_chunks_are_embedded_as_far_as_their_texts_are_new_and_nothing_is_parsed(
    deployment: Deployment, document_id: DocumentId
) -> None:
    before = {chunk.chunk_sha for chunk in deployment.chunk_buffer.load(document_id)}
    later = tools(deployment.replacing(chunking=ChunkingSettings(1000, 100)))
    assert later.refresh() == {document_id: FirstStep.CHUNK}
    after = deployment.chunk_buffer.load(document_id)
    new = {chunk.embedding_input for chunk in after if chunk.chunk_sha not in before}
    assert set(later.embedder.embedded) == new
    assert later.parser.parsed == []
    assert later.refresh() == {}


def test_smaller_chunks_replace_the_larger_ones(deployment: Deployment, document_id: DocumentId) -> None:
    before = deployment.chunk_buffer.load(document_id)
    later = tools(deployment.replacing(chunking=ChunkingSettings(400, 100)))
    assert later.refresh() == {document_id: FirstStep.CHUNK}
    after = deployment.chunk_buffer.load(document_id)
    assert len(after) > len(before)
    assert max(len(chunk.text) for chunk in after) <= 400


def test_a_new_version_of_the_chunker_that_cuts_as_before_embeds_nothing(
    deployment: Deployment, document_id: DocumentId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest_assets.domain.text.chunking.CHUNKER", Producer("markdown", "next"))
    later = tools(deployment)
    assert later.refresh() == {document_id: FirstStep.CHUNK}
    assert (later.parser.parsed, later.embedder.embedded) == ([], [])
    assert later.refresh() == {}


def test_a_new_version_of_the_parser_parses_again_and_embeds_what_it_reads_otherwise(
    deployment: Deployment, document_id: DocumentId
) -> None:
    producer = Producer("local", "2")
    same = tools(deployment, NotedParser(deployment.parser, producer))
    assert same.refresh() == {document_id: FirstStep.PARSE}
    assert (same.parser.parsed, same.embedder.embedded) == ([document_id], [])
    other = tools(deployment, NotedParser(deployment.parser, Producer("local", "3"), "\n\nA yeti clause.\n"))
    assert other.refresh() == {document_id: FirstStep.PARSE}
    assert other.parser.parsed == [document_id]
    [embedded] = other.embedder.embedded
    assert "yeti" in embedded
    assert other.refresh() == {}


def test_a_new_version_of_the_model_embeds_everything_and_parses_nothing(
    deployment: Deployment, document_id: DocumentId
) -> None:
    model = Producer("lexical", "2")
    later = tools(deployment, embedder=Embedder(model))
    assert later.refresh() == {document_id: FirstStep.EMBED}
    chunks = deployment.chunk_buffer.load(document_id)
    assert sorted(later.embedder.embedded) == sorted(chunk.embedding_input for chunk in chunks)
    assert later.parser.parsed == []
    assert deployment.vector_buffer.present(document_id, TODAYS_MODEL) == set()
    assert later.deployment.vector_buffer.present(document_id, model)
    assert later.refresh() == {}


def test_only_documents_that_a_change_concerns_are_outdated(
    deployment: Deployment, user: UserId, document_id: DocumentId
) -> None:
    later = tools(deployment, embedder=Embedder(Producer("lexical", "2")))
    ingest(later.deployment, user, policy_text("Dental"), "dental.md")
    assert later.refresh() == {document_id: FirstStep.EMBED}


def test_the_first_step_is_the_earliest_of_several(deployment: Deployment, document_id: DocumentId) -> None:
    smaller = deployment.replacing(chunking=ChunkingSettings(400, 100))
    model = Embedder(Producer("lexical", "2"))
    assert [each.first_step for each in tools(smaller, embedder=model).deployment.refresh.outdated()] == ["chunk"]
    parser = NotedParser(deployment.parser, Producer("local", "2"))
    [outdated] = tools(smaller, parser, model).deployment.refresh.outdated()
    assert outdated.first_step is FirstStep.PARSE
    assert (outdated.pages, outdated.media_type) == (None, "text/markdown")
    assert outdated.characters == deployment.chunk_buffer.load(document_id)[-1].end


def test_the_old_version_stays_searchable_until_it_is_refreshed(
    deployment: Deployment, user: UserId, document_id: DocumentId
) -> None:
    later = tools(deployment, embedder=Embedder(Producer("lexical", "2"))).deployment
    later.refresh.queue(later.refresh.outdated(), TEST)
    assert deployment.search.passages(user, "emergency care", 1)


def test_a_refreshed_document_keeps_its_priority(deployment: Deployment, user: UserId) -> None:
    urgent = submit(deployment, user, policy_text(), "urgent.md", priority=1).document_id
    drain_all(deployment)
    plain = submit(deployment, user, policy_text("Dental"), "plain.md").document_id
    later = tools(deployment, embedder=Embedder(Producer("lexical", "2"))).deployment
    assert later.refresh.queue(later.refresh.outdated(), TEST) == [urgent]
    claimed = deployment.claims.claim("worker", 2, timedelta(seconds=30))
    assert [job.document.document_id for job in claimed] == [urgent, plain]


def test_documents_that_are_still_under_way_are_left_alone(deployment: Deployment, user: UserId) -> None:
    submit(deployment, user, policy_text())
    assert tools(deployment, embedder=Embedder(Producer("lexical", "2"))).refresh() == {}


def test_a_document_of_which_a_new_version_came_meanwhile_is_not_queued_again(
    deployment: Deployment, user: UserId, document_id: DocumentId
) -> None:
    later = tools(deployment, embedder=Embedder(Producer("lexical", "2"))).deployment
    outdated = later.refresh.outdated()
    submit(deployment, user, policy_text("Dental"))
    assert [each.document_id for each in outdated] == [document_id]
    assert later.refresh.queue(outdated, TEST) == []
