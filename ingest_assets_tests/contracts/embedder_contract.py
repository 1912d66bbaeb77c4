"""What every embedder must do. A suite for one inherits it and gives the fixture `embedder`."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import numpy as np
import pytest

from ingest_assets.domain.documents.document import VECTOR_DIMENSIONS, Document, DocumentId, UserId
from ingest_assets.pipeline.ports.providers import Embedder

DOCUMENT = Document(
    DocumentId(UUID(int=1)), UserId(UUID(int=2)), 1, "policy.md", "text/markdown", byte_size=1, content_sha="0" * 64
)

TEXTS = [
    "Emergency services are covered at any hospital.",
    "Windscreen repairs do not affect the no-claim discount.",
    "The excess for stolen bicycles is 150 dollars.",
]


class EmbedderContract:
    @pytest.fixture
    def embedder(self) -> Embedder:
        raise NotImplementedError

    def test_it_says_which_model_and_version_made_the_vectors(self, embedder: Embedder) -> None:
        assert embedder.model.name
        assert embedder.model.version

    def test_every_text_gets_one_vector_of_float32(self, embedder: Embedder) -> None:
        vectors = embedder.embed(TEXTS, DOCUMENT)

        assert vectors.shape == (len(TEXTS), VECTOR_DIMENSIONS)
        assert vectors.dtype == np.float32

    def test_vectors_come_in_the_order_of_their_texts(self, embedder: Embedder) -> None:
        forwards, backwards = embedder.embed(TEXTS, DOCUMENT), embedder.embed(TEXTS[::-1], DOCUMENT)

        assert np.array_equal(forwards, backwards[::-1])
        assert len(np.unique(forwards, axis=0)) == len(TEXTS)

    def test_a_vector_does_not_depend_on_the_other_texts_of_the_call(self, embedder: Embedder) -> None:
        together = embedder.embed(TEXTS, DOCUMENT)

        assert all(
            np.array_equal(embedder.embed([text], DOCUMENT)[0], vector)
            for text, vector in zip(TEXTS, together, strict=True)
        )

    def test_the_same_text_gives_the_same_bits(self, embedder: Embedder) -> None:
        assert embedder.embed(TEXTS, DOCUMENT).tobytes() == embedder.embed(TEXTS, DOCUMENT).tobytes()

    def test_no_texts_make_no_vectors(self, embedder: Embedder) -> None:
        assert embedder.embed([], DOCUMENT).shape == (0, VECTOR_DIMENSIONS)

    @pytest.mark.parametrize(
        "text", ["deductible", "§ — …", "7", "保険証券", "Prämie für Ärzte", "\U0001f692", "a " * 2000]
    )
    def test_every_vector_has_length_one(self, embedder: Embedder, text: str) -> None:
        vectors = [embedder.embed([text], DOCUMENT)[0], embedder.embed_query(text, DOCUMENT.user_id)]

        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)

    def test_a_query_is_one_vector_of_float32(self, embedder: Embedder) -> None:
        vector = embedder.embed_query(TEXTS[0], DOCUMENT.user_id)

        assert vector.shape == (VECTOR_DIMENSIONS,)
        assert vector.dtype == np.float32

    def test_a_query_is_nearest_to_the_text_that_it_repeats(self, embedder: Embedder) -> None:
        vectors = embedder.embed(TEXTS, DOCUMENT)

        assert [int(np.argmax(vectors @ embedder.embed_query(text, DOCUMENT.user_id))) for text in TEXTS] == [0, 1, 2]

    def test_one_call_takes_as_many_texts_as_it_says(self, embedder: Embedder) -> None:
        texts = [f"Clause {number}" for number in range(embedder.max_inputs)]

        assert len(embedder.embed(texts, DOCUMENT)) == embedder.max_inputs > 0

    def test_tokens_are_counted_and_one_call_takes_many(self, embedder: Embedder) -> None:
        counted = embedder.count_tokens(TEXTS[0])

        assert 0 < counted < embedder.count_tokens(TEXTS[0] * 2) < embedder.max_tokens

    def test_callers_at_the_same_time_get_their_own_vectors(self, embedder: Embedder) -> None:
        texts = [f"Clause number{number} of the policy." for number in range(16)]
        with ThreadPoolExecutor(4) as callers:
            vectors = list(callers.map(lambda text: embedder.embed([text], DOCUMENT)[0], texts))

        assert np.array_equal(np.stack(vectors), embedder.embed(texts, DOCUMENT))
