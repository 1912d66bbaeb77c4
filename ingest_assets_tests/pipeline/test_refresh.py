"""A new parser, other chunks, another model: only what they made is made again."""

from dataclasses import replace
from datetime import timedelta

from ingest_assets.adapters.embedders.lexical import LexicalEmbedder
from ingest_assets.domain.chunking import ChunkingSettings
from ingest_assets.domain.documents import DocumentId, Producer, UserId
from ingest_assets.pipeline.search import search
from ingest_assets.pipeline.services import Services
from ingest_assets_tests.documents import drain_all, ingest, policy_text, submit


class NextModel(LexicalEmbedder):
    model = Producer("lexical", "2")


def refresh(services: Services) -> list[DocumentId]:
    return services.jobs.refresh(
        services.parser.producer_of, services.chunking.chunker, services.embedder.model, "test"
    )


def test_nothing_is_outdated_where_nothing_changed(services: Services, user: UserId) -> None:
    ingest(services, user, policy_text())
    assert refresh(services) == []


def test_other_chunker_settings_make_other_chunks(services: Services, user: UserId) -> None:
    document_id = ingest(services, user, policy_text(paragraphs=20))
    smaller = replace(services, chunking=ChunkingSettings(400, 100))
    before = services.chunk_buffer.load(document_id)
    assert refresh(smaller) == [document_id]
    drain_all(smaller)
    after = smaller.chunk_buffer.load(document_id)
    assert len(after) > len(before)
    assert max(len(chunk.text) for chunk in after) <= 400
    assert refresh(smaller) == []


def test_a_new_version_of_the_model_embeds_everything_and_leaves_no_old_vector(
    services: Services, user: UserId
) -> None:
    document_id = ingest(services, user, policy_text())
    renewed = replace(services, embedder=NextModel())
    assert refresh(renewed) == [document_id]
    drain_all(renewed)
    assert services.vector_buffer.present(document_id, Producer("lexical", "1")) == set()
    assert renewed.vector_buffer.present(document_id, Producer("lexical", "2"))


def test_a_refreshed_document_keeps_its_priority(services: Services, user: UserId) -> None:
    urgent = submit(services, user, policy_text(), "urgent.md", priority=1).document_id
    drain_all(services)
    plain = submit(services, user, policy_text("Dental"), "plain.md").document_id
    assert refresh(replace(services, embedder=NextModel())) == [urgent]
    claimed = services.jobs.claim("worker", 2, timedelta(seconds=30))
    assert [job.document.document_id for job in claimed] == [urgent, plain]


def test_the_old_version_stays_searchable_until_it_is_refreshed(services: Services, user: UserId) -> None:
    ingest(services, user, policy_text("Dental"))
    refresh(replace(services, embedder=NextModel()))
    assert search(user, "dental", 1, index=services.search_index, embedder=services.embedder)


def test_documents_that_are_still_under_way_are_left_alone(services: Services, user: UserId) -> None:
    submit(services, user, policy_text())
    assert refresh(replace(services, embedder=NextModel())) == []
