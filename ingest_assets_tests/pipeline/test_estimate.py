import math
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.adapters.providers.openai.tokens import count_tokens
from ingest_assets.domain.documents.document import Document, DocumentId, UserId
from ingest_assets.domain.files.file_types import FileType
from ingest_assets.domain.spending.costs import Usage
from ingest_assets.domain.text.chunking import ChunkingSettings, chunk_document
from ingest_assets.pipeline.estimate import LOCAL_PARSING, Effort, Size, estimate_documents
from ingest_assets_tests.conftest import CORPUS

PARSING = Effort(lambda pages: Usage(pages=pages, credits=3 * pages, micro_usd=3_750 * pages), 5, 1)
EMBEDDING = Effort(lambda tokens: Usage(tokens=tokens, micro_usd=math.ceil(tokens / 50)), 1, 1000)
SIZE = st.builds(
    Size,
    st.sampled_from([kind.value for kind in FileType]),
    st.integers(1, 25 * 1024 * 1024),
    st.none() | st.integers(1, 3_000),
    st.none() | st.integers(1, 10_000_000),
)
INSURANCE = sorted((CORPUS / "insurance").glob("*.pdf"))


def parsing(_media_type: str) -> Effort:
    return PARSING


def test_pages_and_tokens_become_credits_money_and_time() -> None:
    pdf = Size("application/pdf", byte_size=500_000, pages=10, characters=37_000)
    found = estimate_documents([pdf, pdf], parsing=parsing, embedding=EMBEDDING, at_once=1)
    assert (found.documents, found.pages, found.tokens, found.credits) == (2, 20, 24_000, 60)
    assert found.micro_usd == 20 * 3_750 + 24_000 // 50
    assert found.seconds == 2 * (5 + 10 + 1 + 12)


def test_on_this_machine_nothing_costs_anything() -> None:
    found = estimate_documents([Size("text/markdown", 100_000)])
    assert (found.credits, found.micro_usd) == (0, 0)
    assert found.tokens > 0
    assert found.seconds > 0


def test_a_parse_that_is_kept_takes_nothing_and_its_text_is_embedded_again() -> None:
    kept = Size("application/pdf", byte_size=500_000, pages=10, characters=37_000, is_parsed=True)
    found = estimate_documents([kept], parsing=parsing, embedding=EMBEDDING, at_once=1)
    assert (found.documents, found.pages, found.tokens, found.credits) == (1, 0, 12_000, 0)
    assert found.micro_usd == 12_000 // 50
    assert found.seconds == 1 + 12


def test_each_type_is_priced_as_the_parser_that_reads_it() -> None:
    markdown, pdf = Size("text/markdown", 25_000), Size("application/pdf", 1, pages=10)
    found = estimate_documents([markdown, pdf], parsing=lambda kind: PARSING if kind == FileType.PDF else LOCAL_PARSING)
    assert (found.pages, found.credits) == (20, 30)


def test_nothing_takes_nothing() -> None:
    found = estimate_documents([], parsing=parsing, embedding=EMBEDDING)
    assert (found.documents, found.pages, found.tokens, found.micro_usd, found.seconds) == (0, 0, 0, 0, 0)


def test_documents_worked_on_at_once_take_less_time_but_never_less_than_the_longest() -> None:
    small, large = Size("application/pdf", 1, pages=1), Size("application/pdf", 1, pages=1000)
    alone = estimate_documents([large], parsing=parsing, embedding=EMBEDDING, at_once=4).seconds
    assert estimate_documents([large, small], parsing=parsing, embedding=EMBEDDING, at_once=4).seconds == alone
    one_by_one = estimate_documents([small] * 8, parsing=parsing, embedding=EMBEDDING, at_once=1).seconds
    assert estimate_documents([small] * 8, parsing=parsing, embedding=EMBEDDING, at_once=4).seconds == one_by_one / 4


@given(SIZE)
def test_every_file_is_expected_to_cost_something(size: Size) -> None:
    found = estimate_documents([size], parsing=parsing, embedding=EMBEDDING)
    assert found.pages >= 1
    assert found.tokens >= 1
    assert found.micro_usd > 0


@given(SIZE, SIZE)
def test_files_add_up(one: Size, other: Size) -> None:
    both = estimate_documents([one, other], parsing=parsing, embedding=EMBEDDING)
    apart = [estimate_documents([size], parsing=parsing, embedding=EMBEDDING) for size in (one, other)]
    assert both.micro_usd == sum(each.micro_usd for each in apart)
    assert both.tokens == sum(each.tokens for each in apart)


def test_what_is_no_pdf_has_no_pages_to_count(parser: LocalParser) -> None:
    assert parser.count_pages(b"# Markdown") is None
    assert parser.count_pages(b"%PDF-1.7 and nothing after it") is None


@pytest.mark.skipif(not INSURANCE, reason=f"no corpus at {CORPUS.name}")
@pytest.mark.parametrize("path", INSURANCE, ids=lambda path: path.stem)
def test_the_estimate_of_a_real_document_is_neither_too_low_nor_absurd(path: Path, parser: LocalParser) -> None:
    content = path.read_bytes()
    document = Document(
        document_id=DocumentId(uuid4()),
        user_id=UserId(uuid4()),
        version=1,
        filename=path.name,
        media_type="application/pdf",
        byte_size=len(content),
        content_sha=sha256(content).hexdigest(),
    )
    parsed = parser.parse(content, document)
    chunks = chunk_document(document, parsed, ChunkingSettings())
    tokens = sum(count_tokens(chunk.embedding_input) for chunk in chunks)
    pages = parser.count_pages(content)
    found = estimate_documents([Size("application/pdf", len(content), pages=pages)])
    assert pages == len(parsed.page_starts)
    assert tokens <= found.tokens <= 6 * tokens
