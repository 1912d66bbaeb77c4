"""What an answer's vectors must be like; hostile ones included."""

import json
from base64 import b64encode
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.adapters.providers.openai.answers import read_answer, read_vectors, used_tokens
from ingest_assets.domain.documents.document import VECTOR_DIMENSIONS
from ingest_assets.domain.errors import PermanentError, TransientError


def answer_of(*embeddings: object) -> dict[str, Any]:
    return {"data": [{"index": index, "embedding": embedding} for index, embedding in enumerate(embeddings)]}


def base64_of(*values: float) -> str:
    return b64encode(np.array(values, "<f4").tobytes()).decode()


def test_base64_and_numbers_give_the_same_vectors() -> None:
    assert np.array_equal(
        read_vectors(answer_of([3.0, 4.0], [0, -2]), 2, None),
        read_vectors(answer_of(base64_of(3, 4), base64_of(0, -2)), 2, None),
    )


def test_vectors_become_as_long_as_one_and_end_in_zeros() -> None:
    vectors = read_vectors(answer_of([3.0, 4.0]), 1, None)
    assert vectors.shape == (1, VECTOR_DIMENSIONS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors[0, :3], [0.6, 0.8, 0.0])


@pytest.mark.parametrize("size", [5e-324, 1e-200, 1e200, 1.7e308])
def test_numbers_at_the_ends_of_the_range_keep_their_direction(size: float) -> None:
    np.testing.assert_allclose(read_vectors(answer_of([size, -size]), 1, None)[0, :2], [0.5**0.5, -(0.5**0.5)])


@pytest.mark.parametrize(
    ("embeddings", "usable"),
    [
        ([[1.0, 0.0]], 1),
        ([[1.0, 0.0]] * 3, 2),
        ([[1.0, 0.0], [0.0, 0.0]], 1),
        ([[1.0, 0.0], [float("nan"), 1.0]], 1),
        ([[1.0, 0.0], [float("inf"), 1.0]], 1),
        ([[1.0, 0.0], [None, 1.0]], 1),
        ([[1.0, 0.0], [10**400, 1]], 1),
        ([[1.0, 0.0], ["one", 1.0]], 1),
        ([[1.0, 0.0], [[1.0, 0.0]]], 1),
        ([[1.0, 0.0], {"values": [1.0]}], 1),
        ([[1.0, 0.0], None], 1),
        ([[1.0, 0.0], 1.0], 1),
        ([[1.0, 0.0], []], 1),
        ([[1.0, 0.0], "AAA"], 1),
        ([[1.0, 0.0], "no base64"], 1),
        ([[1.0, 0.0], b64encode(b"12345").decode()], 1),
        ([[], []], 0),
    ],
)
def test_vectors_that_have_no_direction_are_refused(embeddings: list[object], usable: int) -> None:
    with pytest.raises(TransientError, match=f"vectors_invalid: .* {usable} usable vectors for 2"):
        read_vectors(answer_of(*embeddings), 2, None)


@pytest.mark.parametrize("indices", [[0, 0], [1, 2], [0, None], [0, "1"], [0, True], [0, [1]], [-1, 0]])
def test_vectors_without_their_places_are_refused(indices: list[object]) -> None:
    answer = {"data": [{"index": index, "embedding": [1.0, 0.0]} for index in indices]}
    with pytest.raises(TransientError, match="vectors_invalid"):
        read_vectors(answer, 2, None)


def test_vectors_of_different_lengths_are_refused() -> None:
    with pytest.raises(TransientError, match="vectors_invalid"):
        read_vectors(answer_of([1.0, 0.0], [1.0, 0.0, 0.0]), 2, None)


@pytest.mark.parametrize("found", [1535, 1537, 3072])
def test_another_length_than_expected_is_refused_for_now(found: int) -> None:
    with pytest.raises(TransientError, match="vectors_invalid"):
        read_vectors(answer_of([1.0] * found), 1, VECTOR_DIMENSIONS)


def test_a_model_whose_vectors_cannot_be_stored_is_refused_for_good() -> None:
    with pytest.raises(PermanentError, match="1537 dimensions"):
        read_vectors(answer_of([1.0] * 1537), 1, None)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b"<html></html>", b'{"data": 1}']
)
def test_an_answer_that_cannot_be_read_is_garbled(content: bytes) -> None:
    with pytest.raises(TransientError, match="service_garbled"):
        read_vectors(read_answer(content), 1, None)


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"total_tokens": 7, "prompt_tokens": 7}, 7),
        ({"total_tokens": 0}, 0),
        ({}, None),
        (None, None),
        ([], None),
        ({"total_tokens": "7"}, None),
        ({"total_tokens": -1}, None),
        ({"total_tokens": True}, None),
        ({"total_tokens": 1.5}, None),
    ],
)
def test_tokens_are_counted_where_the_service_says(usage: object, tokens: int | None) -> None:
    assert used_tokens({"usage": usage}) == tokens


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["index", "embedding", "x"]), inner),
    max_leaves=12,
)


@given(json_values)
def test_no_answer_gives_anything_but_vectors_or_an_error_of_the_catalogue(data: object) -> None:
    answer = read_answer(json.dumps({"data": data}).encode())
    try:
        vectors = read_vectors(answer, 1, None)
    except TransientError:
        return
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
