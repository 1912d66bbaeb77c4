"""What was stored must be found again: the same file gives the same text, chunks, ids and vectors as it always did."""

from hashlib import sha256
from random import Random

import pytest

from ingest_assets.adapters.lexical_embedder import LexicalEmbedder
from ingest_assets.domain.documents.document import Chunk, ParsedDocument, Producer
from ingest_assets.domain.text import chunking, markdown_blocks, normalisation
from ingest_assets.domain.text.chunking import ChunkingSettings, chunk_document
from ingest_assets.domain.text.normalisation import decode, decode_normal, normalise
from ingest_assets_tests.domain.text.markdown_texts import DOCUMENT, seeded

TEXTS = 250
DIGEST = "5e320dd70079be8e70f07323e29c70e3e18dce3bb2eca9d9df272c96454ea09f"
"""Of what was made of these texts before any of it was made in pieces."""

MARKS = ["#", "# ", "## ", "- ", "1. ", "|", "|---|", "```", "~~~", "===", "---", ">", "_ _ _"]
GAPS = [" ", "\n", "\n\n", "\r\n", "\r", "\t", "\x0c", "\x85", "\u2028"]
WORDS = ["a", "Word", "x" * 30, "1,000.00", "co-payment", "Some words. ", "data:image/png;base64,AAAA", "data:;base64,"]
LETTERS = [
    "ä",
    "e\u0301",
    "\u0301" * 40,
    "漢",
    "。",
    "\U0001f600",
    "\u200d",
    "\U0001f3fd",
    "\uac00",
    "\u1100\u1161",
    "ﬁ",
]
HIDDEN = ["\u00ad", "\ufeff", "\x00", "\x1b", "\ud800", "\U0001d165", "\u0344", "\uffff", "\u2026", "\u201c", ".", "!"]
ENCODINGS = ["utf-8", "utf-16", "utf-16-le", "cp1252", "utf-32"]


def made_up(random: Random) -> str:
    everything = [*MARKS, *GAPS, *WORDS, *LETTERS, *HIDDEN]
    some = random.sample(everything, random.randint(3, len(everything)))
    return "".join(random.choices(some, k=random.choice([20, 100, 400, 2000])))


def described(chunk: Chunk) -> str:
    told = (chunk.chunk_id, chunk.ordinal, chunk.text, chunk.start, chunk.end, chunk.heading_path, chunk.page)
    return repr((*told, chunk.chunk_sha, chunk.embedding_input))


def digest() -> str:
    random, found, embedder = seeded(11), sha256(), LexicalEmbedder()
    for _ in range(TEXTS):
        text = made_up(random)
        for encoding in ENCODINGS:
            found.update(repr(decode(text.encode(encoding, "replace"))).encode("utf-8", "backslashreplace"))
        normal = normalise(text)
        found.update(normal.encode())
        for most in (1000, random.choice([1, 10, 60, 200])):
            settings = ChunkingSettings(most, most // random.choice([2, 5, 1000]))
            chunks = chunk_document(DOCUMENT, ParsedDocument(normal, (0, len(normal) // 2), Producer("", "")), settings)
            found.update("\n".join(map(described, chunks)).encode())
        few = [chunk.embedding_input for chunk in chunks[:20]]
        found.update(embedder.embed(few, DOCUMENT).tobytes())
    return found.hexdigest()


@pytest.mark.parametrize("at_once", [1, 17, 1 << 16])
def test_texts_chunks_and_vectors_are_what_they_always_were_however_they_are_cut_for_working(
    monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(markdown_blocks, "LINES_AT_ONCE", at_once)
    monkeypatch.setattr(markdown_blocks, "TRIMMED_AT_ONCE", at_once)
    monkeypatch.setattr(normalisation, "PIECE", at_once)
    assert digest() == DIGEST


@pytest.mark.parametrize("at_once", [1, 17, 1 << 16])
def test_a_file_is_normalised_while_it_is_decoded_to_the_same_text(
    monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    random = seeded(12)
    contents = [made_up(random).encode(random.choice(ENCODINGS), "replace") for _ in range(TEXTS)]
    expected = [None if (text := decode(content)) is None else normalise(text) for content in contents]
    monkeypatch.setattr(normalisation, "PIECE", at_once)

    assert [decode_normal(content) for content in contents] == expected


def test_a_text_of_very_many_units_is_cut_as_it_always_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunking, "UNITS_AT_ONCE", 50)
    found = sha256()
    for seed in range(20):
        parsed = ParsedDocument(normalise(made_up(seeded(seed))), (), Producer("", ""))
        found.update("\n".join(map(described, chunk_document(DOCUMENT, parsed, ChunkingSettings(90, 9)))).encode())
    assert found.hexdigest() == "6d9b8cdac6193ef7a902d12af1bae07957bd768dcf12f4ee20d05a72dd1bdcd7"
