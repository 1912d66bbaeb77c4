"""Embeddings without a model or a network: texts are near if they share words."""

from collections.abc import Sequence
from threading import Lock

import numpy as np
import Stemmer

from ingest_assets.domain.documents.document import Document, Producer, UserId, Vectors
from ingest_assets.domain.search.lexical_embedding import Hashes, embed_terms, term_hash
from ingest_assets.domain.text.vocabulary import COMMON_WORDS, terms, words

CACHED_WORDS = 1 << 15
LONGEST_CACHED_WORD = 32
"""Longer ones are hardly words, and come once."""

CHARACTERS_PER_TOKEN = 4

_stemmer = Stemmer.Stemmer("english", 0)
_stemmer_lock = Lock()
_common_stems = frozenset(_stemmer.stemWords(sorted(COMMON_WORDS)))


class LexicalEmbedder:
    model = Producer("lexical", "1")
    max_inputs = 512
    max_tokens = 250_000
    max_in_flight = 1
    costs_nothing: bool = True

    def count_tokens(self, text: str) -> int:
        """Estimate the tokens from the characters; nothing is billed, so this only bounds the memory of a call."""
        return -(-len(text) // CHARACTERS_PER_TOKEN)

    def embed(self, texts: Sequence[str], document: Document) -> Vectors:  # noqa: ARG002  costs nothing
        return _embed(texts)

    def embed_query(self, query: str, user_id: UserId) -> Vectors:  # noqa: ARG002  costs nothing
        vector: Vectors = _embed([query])[0]
        return vector


def _embed(texts: Sequence[str]) -> Vectors:
    return embed_terms([_term_hashes(text) for text in texts])


def _term_hashes(text: str) -> Hashes:
    return np.frombuffer(b"".join(map(_known.__getitem__, words(text))), np.uint64)


class _KnownWords(dict[str, bytes]):
    """The hashes of a word's terms, one behind the other as `np.uint64`; forgotten when they are many."""

    def __missing__(self, word: str) -> bytes:
        with _stemmer_lock:
            stems = _stemmer.stemWords(terms(word))
        hashes = np.array([term_hash(stem, common=stem in _common_stems) for stem in stems], np.uint64).tobytes()
        if len(word) <= LONGEST_CACHED_WORD:
            if len(self) >= CACHED_WORDS:
                self.clear()
            self[word] = hashes
        return hashes


_known = _KnownWords()
