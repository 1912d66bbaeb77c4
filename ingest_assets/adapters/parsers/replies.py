"""Checks of a worker's replies: a hostile file may have taken the worker over."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ingest_assets.adapters.parsers.sealed.limits import ParserLimits
from ingest_assets.domain.errors import CATALOGUE, IngestError
from ingest_assets.domain.text.normalisation import has_words, normalise

REFUSALS = frozenset(
    {"encrypted", "corrupt", "needs_ocr", "empty_output", "too_many_pages", "bomb", "unsupported", "out_of_memory"}
)


@dataclass(frozen=True, slots=True)
class Reply:
    text: str
    page_starts: tuple[int, ...]


def checked_reply(header: dict[str, Any], body: bytes, limits: ParserLimits) -> Reply | IngestError:
    """Return the worker's reply, or the error that it names.

    Raises:
        ValueError: No honest worker gives this reply.
    """
    if "code" in header:
        return _refusal(header, limits)
    text = body.decode()
    if len(text) > limits.output_bytes or not has_words(text) or normalise(text) != text:
        raise ValueError
    return Reply(text, _page_starts(header, len(text), limits.pages))


def whole_number(value: object) -> int:
    """Return the value if it is an integer of at least 0.

    Raises:
        ValueError: It is anything else.
    """
    if type(value) is not int or value < 0:
        raise ValueError
    return value


def _refusal(header: dict[str, Any], limits: ParserLimits) -> IngestError:
    """Return the error that the worker names; only a known code and a number of its reply reach the message."""
    code = header["code"]
    if not isinstance(code, str) or code not in REFUSALS:
        raise ValueError
    pages = whole_number(header.get("pages", 0))
    return CATALOGUE[code].error(code, pages=pages, limit=limits.pages, megabytes=limits.memory_mb)


def _page_starts(header: dict[str, Any], length: int, most: int) -> tuple[int, ...]:
    claimed = header.get("page_starts")
    if not isinstance(claimed, list) or len(claimed) > most:
        raise ValueError
    starts = tuple(whole_number(start) for start in claimed)
    if any(before > after for before, after in pairwise((*starts, length))):
        raise ValueError
    return starts
