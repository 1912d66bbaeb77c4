"""Estimate what documents would take before anything is spent: roughly, and rather too much than too little.

The shares and sizes are the upper end of what the documents of the test corpus showed with the local parser, the
chunker at its default settings, and OpenAI's cl100k_base tokens.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import inf

from ingest_assets.domain.files.file_types import FileType
from ingest_assets.domain.spending.costs import Usage

CHARACTERS_PER_PAGE = 2_500
BYTES_PER_PDF_PAGE = 8_000
EMBEDDED_SHARE = 1.2
"""Characters embedded per character of text: chunks overlap, and each carries its headings."""
CHARACTERS_PER_TOKEN = 3.7
TEXT_SHARE = {
    FileType.CSV: 1.2,
    FileType.DOC: 0.2,
    FileType.DOCX: 0.35,
    FileType.EML: 0.5,
    FileType.EPUB: 1.7,
    FileType.HTML: 0.3,
    FileType.ODP: 0.1,
    FileType.ODT: 0.35,
    FileType.PPT: 0.1,
    FileType.PPTX: 0.1,
    FileType.RTF: 0.5,
}
"""Characters of text per byte of the file; 1 for other types. For PDF, pages say more than bytes."""


@dataclass(frozen=True, slots=True)
class Size:
    """What is known of a document in advance."""

    media_type: str
    byte_size: int
    pages: int | None = None
    characters: int | None = None
    is_parsed: bool = False
    """Whether its parse is stored, so that parsing costs nothing."""


@dataclass(frozen=True, slots=True)
class Effort:
    """What one step costs and how long it takes, by pages or tokens."""

    usage: Callable[[int], Usage]
    seconds_per_document: float
    units_per_second: float

    def seconds(self, units: int) -> float:
        return self.seconds_per_document + units / self.units_per_second


@dataclass(frozen=True, slots=True)
class Estimate:
    documents: int
    pages: int
    """The pages to be parsed."""
    tokens: int
    credits: int
    micro_usd: int
    seconds: float


NOTHING = Effort(lambda _: Usage(), seconds_per_document=0, units_per_second=inf)
LOCAL_PARSING = Effort(lambda _: Usage(), seconds_per_document=0.05, units_per_second=25)
"""Parsing on this machine, in pages."""
LOCAL_EMBEDDING = Effort(lambda _: Usage(), seconds_per_document=0.1, units_per_second=50_000)
"""Embedding on this machine, in tokens; most of the time goes into storing and indexing the vectors."""


def estimate_documents(
    sizes: Iterable[Size],
    *,
    parsing: Callable[[str], Effort] = lambda _: LOCAL_PARSING,
    embedding: Effort = LOCAL_EMBEDDING,
    at_once: int = 4,
) -> Estimate:
    """Estimate what these documents would take if every text were new.

    Args:
        sizes: What is known of each document.
        parsing: Gives the parsing step for a media type; its units are pages.
        embedding: The embedding step; its units are tokens.
        at_once: How many documents are worked on at once.
    """
    each = [_estimate(size, parsing, embedding) for size in sizes]
    return Estimate(
        documents=len(each),
        pages=sum(one.pages for one in each),
        tokens=sum(one.tokens for one in each),
        credits=sum(one.credits for one in each),
        micro_usd=sum(one.micro_usd for one in each),
        seconds=_elapsed([one.seconds for one in each], at_once),
    )


def _estimate(size: Size, parsing_of: Callable[[str], Effort], embedding: Effort) -> Estimate:
    parsing = NOTHING if size.is_parsed else parsing_of(size.media_type)
    pages, tokens = 0 if size.is_parsed else _pages(size), _tokens(size)
    parsed, embedded = parsing.usage(pages), embedding.usage(tokens)
    return Estimate(
        documents=1,
        pages=pages,
        tokens=tokens,
        credits=parsed.credits + embedded.credits,
        micro_usd=parsed.micro_usd + embedded.micro_usd,
        seconds=parsing.seconds(pages) + embedding.seconds(tokens),
    )


def _pages(size: Size) -> int:
    if size.pages is not None:
        return size.pages
    if size.media_type == FileType.PDF and size.characters is None:
        return _up(size.byte_size / BYTES_PER_PDF_PAGE)
    return _up(_characters(size) / CHARACTERS_PER_PAGE)


def _tokens(size: Size) -> int:
    return _up(_characters(size) * EMBEDDED_SHARE / CHARACTERS_PER_TOKEN)


def _characters(size: Size) -> float:
    if size.characters is not None:
        return size.characters
    if size.media_type == FileType.PDF:
        return _pages(size) * CHARACTERS_PER_PAGE
    return size.byte_size * TEXT_SHARE.get(FileType(size.media_type), 1.0)


def _elapsed(seconds: list[float], at_once: int) -> float:
    """Return the total time; the longest document takes its own time, however many are worked on at once."""
    return max(sum(seconds) / at_once, max(seconds, default=0.0))


def _up(amount: float) -> int:
    return int(-(-amount // 1))
