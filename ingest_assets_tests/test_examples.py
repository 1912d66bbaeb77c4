"""The example documents: made by their script, parsed whole, and searched with the questions of their README."""

import re
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from uuid import UUID
from zipfile import ZipFile

import numpy as np
import pytest

from ingest_assets.adapters.lexical_embedder import LexicalEmbedder
from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.domain.documents.document import Chunk, Document, DocumentId, ParsedDocument, UserId
from ingest_assets.domain.files.file_types import FileType
from ingest_assets.domain.text.chunking import ChunkingSettings, chunk_document

EXAMPLES = Path(__file__).parents[1] / "examples"
DOCUMENTS = sorted((EXAMPLES / "documents").iterdir())
QUESTIONS = re.findall(r"^\| (.+\?) \| (\S+) \| (.+) \|$", (EXAMPLES / "README.md").read_text(), re.MULTILINE)
TYPES = {".pdf": FileType.PDF, ".docx": FileType.DOCX, ".html": FileType.HTML, ".md": FileType.MARKDOWN}
Searchable = list[tuple[str, Chunk]]


def document_of(path: Path) -> Document:
    identity, content = UUID(int=0), path.read_bytes()
    sha = sha256(content).hexdigest()
    return Document(DocumentId(identity), UserId(identity), 1, path.name, TYPES[path.suffix], len(content), sha)


def parse(parser: LocalParser, path: Path) -> ParsedDocument:
    return parser.parse(path.read_bytes(), document_of(path))


def content_of(path: Path) -> object:
    """An archive's parts: how small they are packed depends on the version of zlib."""
    if path.suffix != ".docx":
        return path.read_bytes()
    with ZipFile(path) as archive:
        return [(part.filename, part.date_time, archive.read(part)) for part in archive.infolist()]


def words_of(text: str) -> list[str]:
    """Without the numbers of lists, which formats show in their own ways."""
    return re.findall(r"\w+", re.sub(r"^\d\. ", "", text, flags=re.MULTILINE))


def test_every_kind_of_example_is_there() -> None:
    assert sorted(path.suffix for path in DOCUMENTS) == [".docx", ".html", ".md", ".md", ".pdf"]


def test_the_script_makes_the_documents_again_as_they_are(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-W", "error", EXAMPLES / "make_documents.py", tmp_path], check=True, cwd=tmp_path)

    made = sorted(tmp_path.iterdir())
    assert [path.name for path in made] == [path.name for path in DOCUMENTS]
    assert [path.name for path, old in zip(made, DOCUMENTS, strict=True) if content_of(path) != content_of(old)] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_parsing_gives_every_word_heading_and_table_of_the_source(parser: LocalParser, path: Path) -> None:
    source = (EXAMPLES / "sources" / path.with_suffix(".md").name).read_text()
    text = parse(parser, path).text

    assert words_of(text) == words_of(source)
    for pattern in (r"^#+ .+$", r"^\| *[^ -].*\|$"):
        assert re.findall(pattern, text, re.MULTILINE) == re.findall(pattern, source, re.MULTILINE)


def test_the_pdf_has_pages(parser: LocalParser) -> None:
    assert 2 <= len(parse(parser, EXAMPLES / "documents" / "health-plan-summary.pdf").page_starts) <= 4


@pytest.fixture(scope="module")
def searchable(parser: LocalParser) -> Searchable:
    return [
        (path.name, chunk)
        for path in DOCUMENTS
        for chunk in chunk_document(document_of(path), parse(parser, path), ChunkingSettings())
    ]


def test_there_are_questions_on_every_document() -> None:
    assert len(QUESTIONS) >= 5
    assert {name for _, name, _ in QUESTIONS} == {path.name for path in DOCUMENTS}


@pytest.mark.parametrize(("question", "name", "section"), QUESTIONS)
def test_the_section_that_answers_a_question_is_among_the_three_nearest(
    searchable: Searchable, question: str, name: str, section: str
) -> None:
    found = nearest(question, searchable, 3)

    assert any(name == found_name and section in sections_of(chunk) for found_name, chunk in found)


def nearest(question: str, searchable: Searchable, limit: int) -> Searchable:
    embedder, document = LexicalEmbedder(), document_of(DOCUMENTS[0])
    vectors = embedder.embed([chunk.embedding_input for _, chunk in searchable], document)
    nearness = vectors @ embedder.embed_query(question, document.user_id)
    return [searchable[position] for position in np.argsort(-nearness)[:limit]]


def sections_of(chunk: Chunk) -> Sequence[str]:
    return [*chunk.heading_path, *re.findall(r"^#+ (.+)$", chunk.text, re.MULTILINE)]
