from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ingest_assets.domain.documents.document import VECTOR_DIMENSIONS, Vectors
from ingest_assets.domain.search.lexical_embedding import (
    BLOCK_TEXTS,
    COUNT_STEPS,
    ROTATION_SCALE,
    count_weights,
    embed_terms,
    rotate,
    term_hash,
)

HASHES = st.integers(0, 2**48 - 1)


def embed(*texts: str, common: str = "") -> Vectors:
    return embed_terms([[term_hash(word, common=word in common.split()) for word in text.split()] for text in texts])


def nearness(one: str, other: str, common: str = "") -> float:
    return float(np.dot(*embed(one, other, common=common)))


@given(st.lists(st.lists(HASHES, max_size=12), max_size=5))
def test_every_vector_is_finite_and_has_length_one(texts: list[list[int]]) -> None:
    vectors = embed_terms(texts)

    assert vectors.shape == (len(texts), VECTOR_DIMENSIONS)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-6)


def test_more_texts_than_a_block_keep_their_order() -> None:
    texts = [f"clause number{number}" for number in range(2 * BLOCK_TEXTS + 3)]

    assert np.array_equal(embed(*texts), np.concatenate([embed(text) for text in texts]))


def test_terms_that_cancel_each_other_out_give_the_vector_of_no_terms() -> None:
    assert np.array_equal(embed_terms([cancelling_terms()]), embed_terms([[]]))


def cancelling_terms() -> list[int]:
    """A term of weight 4, a common one of weight 1 and their pair of weight 3: one position, opposite signs."""
    positive = 1 << 2
    for number in range(100_000):
        common = (number * VECTOR_DIMENSIONS + 1) << 2 | 0b11
        mixed = (positive * 0x9E3779B97F4A7C15 + common) % 2**64
        pair = (mixed ^ mixed >> 32) * 0xBF58476D1CE4E5B9 % 2**64 >> 16
        if pair & 2 and (pair >> 2) % VECTOR_DIMENSIONS == 1:
            return [positive, common]
    raise AssertionError("no terms cancel")


def test_no_coordinate_is_a_negative_zero() -> None:
    vectors = embed("flood", "flood damage", "flood damage to the cellar", "")

    assert np.count_nonzero(vectors == 0) > 0
    assert not np.signbit(vectors[vectors == 0]).any()


def test_texts_are_as_near_as_the_words_they_share() -> None:
    question = "flood damage cellar"
    nearnesses = [nearness(question, text) for text in (question, "flood damage attic", "storm damage attic", "theft")]

    assert nearnesses == sorted(nearnesses, reverse=True)
    assert nearnesses[0] == pytest.approx(1)
    assert abs(nearnesses[-1]) < 0.1


def test_the_order_of_words_matters_less_than_the_words() -> None:
    assert 0.5 < nearness("dog bites man", "man bites dog") < 0.9


def test_common_terms_count_for_little() -> None:
    assert nearness("plan acupuncture", "plan chiropractor", common="plan") < 0.1
    assert nearness("plan acupuncture", "plan chiropractor") > 0.3


def test_a_word_said_often_counts_more_but_not_in_proportion() -> None:
    once, often = (nearness("flood", text) for text in ("flood storm theft fire", "flood " * 16 + "storm theft fire"))

    assert once < often < 16 * once


def test_only_the_lowest_bit_of_a_hash_says_that_a_term_is_common() -> None:
    rare, common = term_hash("plan", common=False), term_hash("plan", common=True)

    assert (rare % 2, common % 2) == (0, 1)
    assert rare ^ common == 1


def test_weights_are_far_from_where_rounding_turns() -> None:
    counts = np.arange(1, 100_001)
    exact = COUNT_STEPS * (1 + np.log(counts))

    assert count_weights(counts)[0] == COUNT_STEPS
    assert np.abs(exact - count_weights(counts)).max() < 0.5 - 1e-9


def test_the_rotation_keeps_lengths_and_angles_exactly() -> None:
    matrix = rotate(np.eye(VECTOR_DIMENSIONS))

    assert np.array_equal(matrix, np.rint(matrix))
    assert np.array_equal(matrix @ matrix.T, np.eye(VECTOR_DIMENSIONS) * round(ROTATION_SCALE**2))


def test_signs_alone_find_what_the_cosines_find_and_only_thanks_to_the_rotation() -> None:
    texts, questions = passages_and_questions()
    vectors, asked = embed(*texts), embed(*questions)

    assert recall(vectors, asked, vectors, asked) > 0.8
    # The rotation is its own inverse.
    assert recall(vectors, asked, rotated_back(vectors), rotated_back(asked)) < 0.3


def passages_and_questions() -> tuple[list[str], list[str]]:
    """2,000 passages on 200 subjects, and questions of 3 to 6 words of a subject."""
    random = Random(11)  # noqa: S311
    language = [f"word{number}" for number in range(2000)]
    frequencies = [1 / (number + 20) for number in range(len(language))]
    subjects = [random.sample(language, 30) for _ in range(200)]
    passages = [
        random.choices(subject, k=40) + random.choices(language, frequencies, k=80)
        for subject in subjects
        for _ in range(10)
    ]
    questions = [random.sample(random.choice(subjects), random.randint(3, 6)) for _ in range(40)]
    return [" ".join(words) for words in passages], [" ".join(words) for words in questions]


def rotated_back(vectors: Vectors) -> NDArray[np.float64]:
    return np.round(rotate(vectors.astype(np.float64)) / ROTATION_SCALE, 4)


def recall(vectors: Vectors, asked: Vectors, signed: NDArray[np.floating], signed_asked: NDArray[np.floating]) -> float:
    """Of the ten nearest, how many are among the 40 whose signs agree most."""
    nearest = np.argsort(-(asked @ vectors.T), axis=1, kind="stable")[:, :10]
    bits, asked_bits = (np.where(coordinates > 0, 1.0, -1.0) for coordinates in (signed, signed_asked))
    candidates = np.argsort(-(asked_bits @ bits.T), axis=1, kind="stable")[:, :40]
    return float(np.mean([np.isin(ten, some).mean() for ten, some in zip(nearest, candidates, strict=True)]))
