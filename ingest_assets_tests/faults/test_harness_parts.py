"""The harness's own judgement: a harness that sees nothing proves nothing."""

from uuid import uuid4

import pytest

from ingest_assets.domain.documents.document import Document, DocumentId, ParsedDocument, Producer, UserId
from ingest_assets.domain.text.chunking import ChunkingSettings, chunk_document
from ingest_assets_tests.faults.harness.checks.payments import SETTLE_SECONDS, Disturbance, payments
from ingest_assets_tests.faults.harness.deployment.services import Charge
from ingest_assets_tests.faults.harness.documents.marks import Mark, content, is_whole, marks_in
from ingest_assets_tests.faults.harness.kinds.table import FAULTS, SHORT, possible
from ingest_assets_tests.faults.harness.schedule import schedule


@pytest.mark.parametrize("number", range(8))
def test_every_passage_of_a_document_tells_its_version_and_all_of_them_are_whole(number: int) -> None:
    passages = passages_of(content("md", number, 3))
    assert all(marks_in([passage]) for passage in passages)
    assert is_whole(marks_in(passages))


def test_a_document_without_one_passage_is_not_whole() -> None:
    passages = max((passages_of(content("md", number, 1)) for number in range(8)), key=len)
    assert not is_whole(marks_in(passages[:-1]))
    assert not is_whole(set())


def test_passages_of_two_versions_are_not_whole() -> None:
    assert not is_whole({Mark(1, 1, 1, 2), Mark(1, 2, 2, 2)})


def passages_of(markdown: bytes) -> list[str]:
    document = Document(DocumentId(uuid4()), UserId(uuid4()), 1, "claim.md", "text/markdown", 1, "0" * 64)
    parsed = ParsedDocument(markdown.decode(), (), Producer("plain", "1"))
    return [chunk.text for chunk in chunk_document(document, parsed, ChunkingSettings())]


def test_a_payment_repeated_after_a_fault_in_flight_is_no_second_payment() -> None:
    judged = payments([Charge("text", 10, 11), Charge("text", 20, 21)], [Disturbance("kill", 10.5, 10.5)])
    assert (judged.once, judged.repeated, len(judged.twice)) == (1, 1, 0)


def test_a_payment_repeated_without_a_fault_in_flight_is_one() -> None:
    late = 11 + SETTLE_SECONDS + 0.1
    judged = payments(
        [Charge("text", 10, 11), Charge("text", 20, 21), Charge("other", 1, 2)], [Disturbance("kill", late, late)]
    )
    assert (judged.once, judged.repeated, len(judged.twice)) == (2, 0, 1)


def test_the_same_seed_gives_the_same_faults_and_another_one_others() -> None:
    assert schedule(1, 40) == schedule(1, 40)
    assert schedule(1, 40) != schedule(2, 40)


def test_each_kind_of_kill_strikes_before_any_strikes_again() -> None:
    kinds = [fault for fault in possible() if fault.kills]
    struck = [fault.name for group in schedule(7, len(kinds)) for fault in group if fault.kills]
    assert sorted(struck) == sorted(fault.name for fault in kinds)


def test_the_short_set_names_faults_that_every_machine_can_do() -> None:
    assert all(FAULTS[name].missing is None for name in SHORT)
