"""Estimate how many pages a provider will bill, without any tool that a hostile file could hurt."""

import re
import zlib
from collections.abc import Iterator

from ingest_assets.domain.files.file_types import FileType

BYTES_PER_PAGE = 3000
"""For text."""
PACKED_BYTES_PER_PAGE = 20_000
"""For formats that compress their text and pictures."""
MOST_INFLATED = 64 * 1024 * 1024
LONGEST_STREAM = 256 * 1024
LEAST_COST = 16 * 1024
"""The least that each object stream counts for, so that a file of empty ones ends too."""
LONGEST_STREAM_HEADER = 400

_PAGE = re.compile(rb"/Type\s{0,8}/Page(?![A-Za-z])")
_COUNT = re.compile(rb"/Count\s{1,8}(\d{1,7})(?!\d)")
_OBJECT_STREAM = re.compile(rb"/ObjStm\b")
_STREAM = re.compile(rb"stream\r?\n")


def estimated_pages(content: bytes, media_type: str) -> int:
    """Return an estimate of at least 1 page.

    A PDF that holds older revisions of itself may count too many; for other formats this is a guess by size.
    """
    if media_type == FileType.PDF:
        return max(1, _pdf_pages(content))
    packed = media_type in set(FileType) and FileType(media_type).is_zip
    return 1 + len(content) // (PACKED_BYTES_PER_PAGE if packed else BYTES_PER_PAGE)


def _pdf_pages(content: bytes) -> int:
    """Count the page objects, up to the greatest number of pages that a node of the page tree claims."""
    pages, claimed = 0, 0
    for objects in (content, *_object_streams(content)):
        pages += len(_PAGE.findall(objects))
        claimed = max([claimed, *map(int, _COUNT.findall(objects))])
    return min(pages, claimed) if claimed else pages


def _object_streams(content: bytes) -> Iterator[bytes]:
    """Yield the objects that PDF 1.5 compresses together, inflated to MOST_INFLATED bytes in all."""
    left = MOST_INFLATED
    for mark in _OBJECT_STREAM.finditer(content):
        stream = _STREAM.search(content, mark.end(), mark.end() + LONGEST_STREAM_HEADER)
        if stream is None:
            continue
        inflated = _inflated(content, stream.end(), left)
        left -= max(LEAST_COST, len(inflated))
        yield inflated
        if left <= 0:
            return


def _inflated(content: bytes, start: int, most: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(content[start : start + LONGEST_STREAM], most)
    except zlib.error:
        return b""
