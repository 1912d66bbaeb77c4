"""Texts for the chunker's tests: hostile and ordinary, and the chunks of them."""

from random import Random
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st

from ingest_assets.domain.documents.document import Chunk, Document, DocumentId, ParsedDocument, Producer, UserId
from ingest_assets.domain.text.chunking import ChunkingSettings, chunk_document

PROPERTY = settings(deadline=None, max_examples=150)

DOCUMENT = Document(
    document_id=DocumentId(UUID(int=1)),
    user_id=UserId(UUID(int=2)),
    version=1,
    filename="household_policy-2026.md",
    media_type="text/markdown",
    byte_size=1,
    content_sha="0" * 64,
)

SYLLABLES = ("ba", "con", "de", "fer", "gal", "lim", "mor", "nu", "per", "ri", "sa", "tion", "ver", "za")


def parsed(text: str, page_starts: tuple[int, ...] = ()) -> ParsedDocument:
    return ParsedDocument(text, page_starts, Producer("none", "1"))


def chunked(text: str, max_characters: int = 1000, overlap_characters: int = 200) -> list[Chunk]:
    return chunk_document(DOCUMENT, parsed(text), ChunkingSettings(max_characters, overlap_characters))


def seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 (the same texts in every run)


def sentence(random: Random) -> str:
    words = ("".join(random.choices(SYLLABLES, k=random.randint(1, 4))) for _ in range(random.randint(6, 20)))
    return " ".join(words).capitalize() + "."


def paragraph(random: Random) -> str:
    return " ".join(sentence(random) for _ in range(random.randint(1, 6)))


def paragraphs(random: Random, characters: int) -> list[str]:
    found: list[str] = []
    while sum(map(len, found)) < characters:
        found.append(paragraph(random))
    return found


def sections(random: Random, characters: int) -> list[str]:
    """Paragraphs of which some come with a heading."""
    return [
        f"## {sentence(random)[:30]}\n\n{words}" if random.random() < 0.3 else words
        for words in paragraphs(random, characters)
    ]


def table_row(random: Random) -> str:
    return f"| {random.randint(1, 10**6)} | {sentence(random)} |"


RANDOMS = st.randoms(use_true_random=True)
ARBITRARY = st.text(max_size=3000)
CRAMPED = st.text(alphabet="ab #|-`~*>=1.)\n\t\r\u0301\u3002", max_size=3000)
LINES = st.one_of(
    st.sampled_from(["", "---", "===", "```", "~~~~", "| a | b |", "|---|---|", "> quoted", "\t", "  ```python"]),
    st.builds("{} {}".format, st.sampled_from(["#", "##", "###", "-", "1.", "  -", ">", "|"]), st.text(max_size=40)),
    st.builds(lambda word, count: f"{word} " * count, st.text(max_size=8), st.integers(0, 60)),
    RANDOMS.map(paragraph),
    RANDOMS.map(table_row),
)
MARKDOWN = st.lists(LINES, max_size=60).map("\n".join)
TEXTS = st.one_of(MARKDOWN, CRAMPED, ARBITRARY)

CHUNKING_SETTINGS = st.integers(1, 1200).flatmap(
    lambda most: st.builds(ChunkingSettings, st.just(most), st.integers(0, most // 2))
)

REPEATED = {
    "one word without an end": "a",
    "hashes": "#",
    "pipes": "|",
    "pipes on lines": "|\n",
    "backticks": "`",
    "fences": "```\n~~~\n",
    "newlines": "\n",
    "spaces": " ",
    "lines of a space": " \n",
    "full stops": ".",
    "sentences of nothing": ". ",
    "closed quotations": '.")',
    "dashes": "-",
    "rules of dashes": "- ",
    "asterisks": "*",
    "combining marks": "\u0301",
    "headings": "# a\n",
    "headings without words": "#\n",
    "underlined headings": "a\n==\n",
    "list items": "- a\n",
    "list items far apart": "- a\n\n\n\n",
    "tables": "|a|\n|-|\n",
    "quotations": "> ",
    "numbers": "1. ",
}
"""Each many times over is a text on which careless patterns take quadratic time."""
