"""Checks of a worker's replies: a hostile file may have taken the worker over."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from typing import Any

from ingest_assets.adapters.parsers.sealed.frames import CUT
from ingest_assets.adapters.parsers.sealed.limits import ParserLimits
from ingest_assets.adapters.parsers.sealed.seals import Seal
from ingest_assets.domain.documents.attachments import LONGEST_ATTACHMENT_PATH, MOST_ATTACHMENTS, MOST_BYTES
from ingest_assets.domain.documents.document import Attachment
from ingest_assets.domain.documents.warnings import WarningKind, Warnings, counted
from ingest_assets.domain.errors import CATALOGUE, IngestError
from ingest_assets.domain.text.chunking import ChunkingSettings, Cut, most_cuts
from ingest_assets.domain.text.markdown_blocks import HEADING_CHARACTERS
from ingest_assets.domain.text.normalisation import has_words, normal_pieces, normalise

REFUSALS = frozenset(
    {"encrypted", "corrupt", "needs_ocr", "empty_output", "too_many_pages", "bomb", "unsupported", "out_of_memory"}
)

DEEPEST_HEADING = 6
LONGEST_PATH = 1 << 13
"""In bytes, as a line of JSON."""
MOST_PAGES = 1 << 20
"""More than pdfium ever counts."""
MOST_MEGABYTES = 1 << 30
MOST_COUNTED = 1 << 30

InTime = Callable[[], None]
"""Raises TimeoutError once the time of the document is over; called between parts of a check that may take long."""


@dataclass(frozen=True, slots=True)
class Reply:
    text: str
    page_starts: tuple[int, ...]
    warnings: Warnings
    attachments: tuple[Attachment, ...]


def checked_reply(header: dict[str, Any], body: bytes, limits: ParserLimits, in_time: InTime) -> Reply | IngestError:
    """Return the worker's reply, or the error that it names.

    Raises:
        ValueError: No honest worker gives this reply.
        TimeoutError: See InTime.
    """
    if "code" in header:
        return _refusal(header, limits)
    attachments = _attachments(header, body)
    text = body[: len(body) - sum(len(each.content) for each in attachments)].decode()
    if len(text) > limits.output_bytes:
        raise ValueError
    page_starts = _page_starts(header, len(text), limits.pages)
    if not has_words(text):
        raise ValueError
    for is_normal in normal_pieces(text):
        in_time()
        if not is_normal:
            raise ValueError
    return Reply(text, page_starts, _warnings(header), attachments)


def checked_cuts(
    header: dict[str, Any],
    body: bytes,
    text: str,
    settings: ChunkingSettings,
    limits: ParserLimits,
    in_time: InTime,
    pages: int = 0,
) -> list[Cut] | IngestError:
    """Return where the worker says that a text's chunks are, or the error that it names.

    Raises:
        ValueError: No honest worker gives this reply: these would not be chunks that cover the text, or be far more of
            it than the chunker ever makes.
        TimeoutError: See InTime.
    """
    if "code" in header:
        return _refusal(header, limits)
    count = whole_number(header.get("cuts"), most_cuts(len(text), settings, pages))
    if len(body) < count * CUT.size:
        raise ValueError
    paths = _heading_paths(body, count * CUT.size, count, in_time)
    cuts: list[Cut] = []
    before = 0
    for each in CUT.iter_unpack(memoryview(body)[: count * CUT.size]):
        start, end, own_start, header_start, header_end, label_start, label_end, path = each
        is_inside = start <= own_start < end <= len(text) and header_start <= header_end <= start
        is_inside = is_inside and label_start <= label_end <= start
        repeated = sum(length + 1 for length in (header_end - header_start, label_end - label_start) if length)
        length = end - start + repeated
        if not (is_inside and path < len(paths) and length <= settings.max_characters and own_start >= before):
            raise ValueError
        if own_start - start > settings.overlap_characters or repeated > settings.max_characters // 2:
            raise ValueError
        if start > before and not text[before:start].isspace():
            raise ValueError
        cuts.append(Cut(start, end, own_start, header_start, header_end, label_start, label_end, paths[path]))
        before = end
    if before < len(text) and not text[before:].isspace():
        raise ValueError
    return cuts


def checked_pages(header: dict[str, Any]) -> int:
    """Return the number of pages that the worker has counted.

    Raises:
        ValueError: No honest worker gives this reply.
    """
    return whole_number(header.get("pages"), MOST_PAGES)


def checked_seals(header: dict[str, Any]) -> frozenset[Seal]:
    """Return what the worker says that it is sealed by.

    Raises:
        ValueError: No honest worker gives this reply.
    """
    claimed = header.get("seals")
    if not isinstance(claimed, list) or len(claimed) > len(Seal):
        raise ValueError
    return frozenset(map(Seal, claimed))


def whole_number(value: object, most: int) -> int:
    """Return the value if it is an integer from 0 to `most`.

    Raises:
        ValueError: It is anything else.
    """
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError
    return value


def _refusal(header: dict[str, Any], limits: ParserLimits) -> IngestError:
    """Return the error that the worker names; only a known code and a number of its reply reach the message."""
    code = header["code"]
    if not isinstance(code, str) or code not in REFUSALS:
        raise ValueError
    pages = whole_number(header.get("pages", 0), MOST_PAGES)
    return CATALOGUE[code].error(code, pages=pages, limit=limits.pages, megabytes=limits.memory_mb)


def _heading_paths(body: bytes, begin: int, most: int, in_time: InTime) -> list[tuple[str, ...]]:
    """Return the paths, read line by line, so that nothing is ever read that is larger than a path can be."""
    lines = BytesIO(body)
    lines.seek(begin)
    paths: list[tuple[str, ...]] = []
    while line := lines.readline(LONGEST_PATH):
        in_time()
        if len(paths) == most:
            raise ValueError
        paths.append(_heading_path(line))
    return paths


def _heading_path(line: bytes) -> tuple[str, ...]:
    try:
        titles = json.loads(line)
    except RecursionError:
        raise ValueError from None
    if not isinstance(titles, list) or len(titles) > DEEPEST_HEADING or not all(map(_is_title, titles)):
        raise ValueError
    return tuple(titles)


def _is_title(title: object) -> bool:
    return isinstance(title, str) and 0 < len(title) <= HEADING_CHARACTERS and normalise(title) == title


def _warnings(header: dict[str, Any]) -> Warnings:
    claimed = header.get("warnings")
    if not isinstance(claimed, dict) or len(claimed) > len(WarningKind):
        raise ValueError
    return counted({WarningKind(kind): whole_number(count, MOST_COUNTED) for kind, count in claimed.items()})


def _attachments(header: dict[str, Any], body: bytes) -> tuple[Attachment, ...]:
    """Return the attachments, whose contents follow the text."""
    claimed = header.get("attachments")
    if not isinstance(claimed, list) or len(claimed) > MOST_ATTACHMENTS:
        raise ValueError
    sizes = [whole_number(size, MOST_BYTES) for _, size in map(_pair, claimed)]
    start = len(body) - sum(sizes)
    if start < 0 or sum(sizes) > MOST_BYTES:
        raise ValueError
    found: dict[str, Attachment] = {}
    for (path, _), size in zip(claimed, sizes, strict=True):
        if (
            not isinstance(path, str)
            or not 0 < len(path) <= LONGEST_ATTACHMENT_PATH
            or normalise(path) != path
            or path in found
        ):
            raise ValueError
        found[path] = Attachment(path, body[start : start + size])
        start += size
    return tuple(found.values())


def _pair(value: object) -> list[Any]:
    if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004
        raise ValueError
    return value


def _page_starts(header: dict[str, Any], length: int, most: int) -> tuple[int, ...]:
    claimed = header.get("page_starts")
    if not isinstance(claimed, list) or len(claimed) > most:
        raise ValueError
    starts = tuple(whole_number(start, length) for start in claimed)
    if any(before > after for before, after in pairwise(starts)):
        raise ValueError
    return starts
