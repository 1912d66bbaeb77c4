"""Cut Markdown into chunks whose boundaries depend on the text around them, not on what comes long before.

At first all units are apart. Boundaries are removed, weakest first, if the two sides fit in one chunk; equal boundaries
go in the order of a hash of the text that follows. So an edit changes only the chunks near it. Boundaries between pages
stay, so that a chunk is on the page that it names; only a paragraph runs on over the end of its page.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID, uuid5
from zlib import crc32

from ingest_assets.domain.documents.document import Chunk, ChunkId, Document, ParsedDocument, Producer, embedding_input
from ingest_assets.domain.text.markdown_blocks import BlockKind, scan_blocks
from ingest_assets.domain.text.units import Boundary, Unit, units_of

CHUNKER = Producer("markdown", "2")
CHUNK_IDS = UUID("5b1f8c0e-6b0c-5d0a-9a55-3f4f6e2f7c11")
HASHED_CHARACTERS = 32
UNITS_AT_ONCE = 100_000
"""A chunk ends after this many units; otherwise megabytes of single letters would take gigabytes of memory."""

_GAP = re.compile(r"\s+(?=\S)")


@dataclass(frozen=True, slots=True)
class ChunkingSettings:
    max_characters: int = 1000
    """The longest text of a chunk, including everything that it repeats."""
    overlap_characters: int = 200
    """How much of its block a chunk may repeat if it begins inside the block; otherwise it repeats nothing."""

    def __post_init__(self) -> None:
        if self.max_characters < 1:
            raise ValueError("max_characters must be at least 1")
        if not 0 <= self.overlap_characters <= self.max_characters // 2:
            raise ValueError("overlap_characters must be between 0 and half of max_characters")

    @property
    def chunker(self) -> Producer:
        """The name and version of the chunker; other settings are another version, because they give other chunks."""
        version = f"{CHUNKER.version}-{self.max_characters}-{self.overlap_characters}"
        return Producer(CHUNKER.name, version)


class Cut(NamedTuple):
    """Where a chunk is in its text, and what it stands under."""

    start: int
    end: int
    own_start: int
    """Where the chunk begins without what it repeats of the chunk before."""
    header_start: int
    header_end: int
    """`text[header_start:header_end]` is a table's header that the chunk repeats; empty for all others."""
    label_start: int
    label_end: int
    """`text[label_start:label_end]` is the first cell of the row that the chunk goes on with; empty for all others."""
    heading_path: tuple[str, ...]


def chunk_document(document: Document, parsed: ParsedDocument, settings: ChunkingSettings) -> list[Chunk]:
    """Return chunks that cover every character except white space; return none if there is nothing else.

    The heading path and the page of a chunk are those of its first character that the chunk before does not have.
    """
    return list(iterate_chunks(document, parsed, settings))


def iterate_chunks(document: Document, parsed: ParsedDocument, settings: ChunkingSettings) -> Iterator[Chunk]:
    """Yield the chunks of `chunk_document`, holding intermediate values only for a few at a time."""
    return chunks_of(document, parsed, settings, cut_text(parsed.text, settings, parsed.page_starts))


def chunks_of(
    document: Document, parsed: ParsedDocument, settings: ChunkingSettings, cuts: Iterable[Cut]
) -> Iterator[Chunk]:
    """Yield the chunks that `cut_text` found in the document's text."""
    maker = _Maker(document, parsed, settings.chunker)
    for ordinal, cut in enumerate(cuts):
        yield maker.chunk(ordinal, cut)


def cut_text(text: str, settings: ChunkingSettings, page_starts: Iterable[int] = ()) -> Iterator[Cut]:
    """Yield where the chunks of a text are. This is the long part of chunking, and needs nothing of the document."""
    chunk_before = -1
    pages = frozenset(page_starts)
    every_unit = units_of(text, scan_blocks(text), settings.max_characters, settings.overlap_characters)
    while units := list(islice(every_unit, UNITS_AT_ONCE)):
        for first, last in _pack(text, units, settings.max_characters, pages):
            earliest = max(units[first].start - settings.overlap_characters, chunk_before + 1)
            start = _start_with_overlap(text, units, first, earliest)
            yield _cut(units[first], start, units[last].end)
            chunk_before = units[first].start


def most_cuts(length: int, settings: ChunkingSettings, pages: int = 0) -> int:
    """Return the most cuts that `cut_text` makes of so many characters.

    Two neighbours that were not put together because of their size span at least half of `max_characters`; each
    character is in at most two such pairs, and each pair has at most two neighbours that were kept apart by a heading.
    Where a page begins, two more may be kept apart.
    """
    return 12 * length // settings.max_characters + length // UNITS_AT_ONCE + 2 + 2 * pages


def _cut(first: Unit, start: int, end: int) -> Cut:
    block = first.block
    label_start, label_end = first.label
    repeated = first.lead - (label_end - label_start + 1 if label_end else 0)
    header_end = block.header_end if block.kind is BlockKind.TABLE and repeated > 0 else block.start
    return Cut(start, end, first.start, block.start, header_end, label_start, label_end, block.heading_path)


def _pack(
    text: str, units: Sequence[Unit], max_characters: int, page_starts: Collection[int]
) -> Iterator[tuple[int, int]]:
    """Yield the first and the last unit of each chunk."""
    count = len(units)
    strengths = [Boundary.TEXT_END, *(unit.boundary for unit in units[1:]), Boundary.TEXT_END]
    previous, following = list(range(-1, count)), list(range(1, count + 2))
    for boundary in _weakest_first(text, units):
        left, right = previous[boundary], following[boundary]
        size = units[left].lead + units[right - 1].end - units[left].start
        mixes_sections = strengths[boundary] >= Boundary.HEADING > min(strengths[left], strengths[right])
        begins_page = units[boundary].start in page_starts and strengths[boundary] > Boundary.JOINT
        if size <= max_characters and not mixes_sections and not begins_page:
            following[left], previous[right] = right, left
    first = 0
    while first < count:
        yield first, following[first] - 1
        first = following[first]


def _weakest_first(text: str, units: Sequence[Unit]) -> list[int]:
    """Return the boundaries by strength, equal ones by a hash of what follows; edits elsewhere change nothing."""
    hashes = [crc32(text[unit.start : unit.start + HASHED_CHARACTERS].encode()) for unit in units[1:]]
    priorities = [unit.boundary << 32 | tie for unit, tie in zip(units[1:], hashes, strict=True)]
    return sorted(range(1, len(units)), key=lambda boundary: priorities[boundary - 1])


def _start_with_overlap(text: str, units: Sequence[Unit], first: int, earliest: int) -> int:
    """Return where a chunk starts if it repeats whole units of its block from `earliest` on.

    If the last of these units is too long, the chunk repeats whole words of it instead.
    """
    unit = units[first]
    if unit.start == unit.block.start or unit.block.kind is BlockKind.TABLE:
        return unit.start
    earliest = max(unit.block.start, earliest)
    candidate = bisect_left(units, earliest, hi=first, key=attrgetter("start"))
    if candidate < first:
        return units[candidate].start
    gap = _GAP.search(text, earliest, unit.start)
    return gap.end() if gap else unit.start


class _Maker:
    """Makes the chunks of one document."""

    def __init__(self, document: Document, parsed: ParsedDocument, chunker: Producer) -> None:
        self._parsed, self._title = parsed, document.title
        self._name = f"{document.document_id}:{chunker.name}:{chunker.version}"

    def chunk(self, ordinal: int, cut: Cut) -> Chunk:
        header = self._parsed.text[cut.header_start : cut.header_end]
        label = self._parsed.text[cut.label_start : cut.label_end]
        text = (header and header + "\n") + (label and label + " ") + self._parsed.text[cut.start : cut.end]
        chunk_sha = sha256(embedding_input(self._title, cut.heading_path, text).encode()).hexdigest()
        return Chunk(
            chunk_id=ChunkId(uuid5(CHUNK_IDS, f"{self._name}:{ordinal}:{chunk_sha}")),
            ordinal=ordinal,
            text=text,
            start=cut.start,
            end=cut.end,
            heading_path=cut.heading_path,
            page=_page(self._parsed.page_starts, cut.own_start),
            chunk_sha=chunk_sha,
            title=self._title,
        )


def _page(page_starts: Sequence[int], offset: int) -> int | None:
    return max(1, bisect_right(page_starts, offset)) if page_starts else None
