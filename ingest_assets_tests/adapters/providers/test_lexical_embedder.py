"""The lexical embedder as the pipeline calls it."""

from hashlib import sha256

import numpy as np
import pytest

from ingest_assets.adapters import lexical_embedder as lexical
from ingest_assets.adapters.lexical_embedder import LexicalEmbedder
from ingest_assets.domain.text.vocabulary import COMMON_WORDS, STOP_WORDS
from ingest_assets.pipeline.ports.providers import Embedder
from ingest_assets_tests.contracts.embedder_contract import DOCUMENT, TEXTS, EmbedderContract


class TestLexicalEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return LexicalEmbedder()


GOLDEN = "059d64a6c1f4dea65f9252dcaa3c0c5c94cb81b83c445f6427846949f9236081"


def nearness(one: str, other: str) -> float:
    return float(np.dot(*LexicalEmbedder().embed([one, other], DOCUMENT)))


def test_every_machine_gives_these_bits() -> None:
    vectors = LexicalEmbedder().embed([*TEXTS, "", "Prämie: 1,250.00 für Police HX-2024-117, " * 40], DOCUMENT)

    assert sha256(vectors.astype("<f4").tobytes()).hexdigest() == GOLDEN


@pytest.mark.parametrize(
    ("question", "same", "different"),
    [
        ("Ambulances", "an AMBULANCE", "an ambush"),
        ("insured's copayments", "insured’s co-payment", "insured's repayments"),
        ("claim HX-2024-117", "claim hx2024117", "claim hx2031582"),
        ("premium 1,250.00", "premium 1250", "premium 1,350.00"),
        ("Praxisgebühr", "PRAXISGEBU\u0308HR", "Praxis Gebühr"),
        ("ﬁnancial loss", "financial losses", "final lots"),
        ("out-of-pocket maximum", "out-of-\npocket maximum", "out of cover minimum"),
    ],
)
def test_another_spelling_is_nearer_than_another_word(question: str, same: str, different: str) -> None:
    assert nearness(question, same) > nearness(question, different) + 0.2


def test_rare_words_decide_over_common_ones() -> None:
    question = "Does the plan cover acupuncture?"

    assert nearness(question, "Acupuncture, twelve sessions") > nearness(
        question, "What the plan covers: the plan pays"
    )


def test_common_words_alone_are_still_found() -> None:
    assert nearness("Which benefits are included?", "Benefits included with the plan") > 0.3


@pytest.mark.parametrize("wordless", ["", "\n", "—", "the of and", "☂ ☂"])
def test_a_text_without_words_is_a_unit_vector_far_from_every_other(wordless: str) -> None:
    assert nearness(wordless, "§§") == pytest.approx(1)
    assert all(abs(nearness(wordless, text)) < 0.2 for text in TEXTS)


def test_no_word_is_both_common_and_left_out() -> None:
    assert not COMMON_WORDS & STOP_WORDS


def test_memory_for_words_is_bounded() -> None:
    lexical._known.clear()
    flood = [f"word{number}" for number in range(lexical.CACHED_WORDS + 100)]
    LexicalEmbedder().embed([" ".join(flood[: lexical.CACHED_WORDS])], DOCUMENT)
    assert len(lexical._known) == lexical.CACHED_WORDS

    LexicalEmbedder().embed([" ".join(flood[lexical.CACHED_WORDS :]), "x" * 64_000], DOCUMENT)
    assert len(lexical._known) == 100


def test_words_that_the_memory_has_lost_give_the_same_vectors() -> None:
    before = LexicalEmbedder().embed(TEXTS, DOCUMENT)
    lexical._known.clear()

    assert np.array_equal(LexicalEmbedder().embed(TEXTS, DOCUMENT), before)
