"""Extract the text from a file's bytes, with the right tool for its type."""

import codecs
import re
from collections.abc import Sequence
from contextlib import suppress
from encodings.aliases import aliases

from ingest_assets.adapters.parsers.sealed.limits import ParserLimits
from ingest_assets.adapters.parsers.sealed.pdf import count_pages, pdf_pages
from ingest_assets.adapters.parsers.sealed.refusals import RefusedError
from ingest_assets.adapters.parsers.sealed.xberg_markdown import marked_pages, marked_text
from ingest_assets.domain.files.file_types import FileType
from ingest_assets.domain.files.packages import inspect_package
from ingest_assets.domain.text.normalisation import decode, has_words, join_pages

__all__ = ["count_pages", "extract", "warm_up"]

DECLARED_ENCODING = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
DECLARED_WITHIN = 1024
SPECIMEN = b"<html><p>Cover</p></html>"


def warm_up() -> None:
    """Load whatever would otherwise be opened on first use: every encoding, and the threads that xberg runs on."""
    for encoding in set(aliases.values()):
        with suppress(LookupError):  # other systems have some of them
            codecs.lookup(encoding)
    marked_text(SPECIMEN, FileType.HTML)


def extract(content: bytes, kind: FileType, limits: ParserLimits) -> tuple[str, tuple[int, ...]]:
    """Return the text and the offsets at which its pages start.

    Raises:
        RefusedError: The worker refuses the file, with one of the catalogue's codes.
        PermanentError: corrupt, bomb or external_reference.
    """
    if kind.is_zip:
        inspect_package(content, declarations_allowed=kind is FileType.EPUB)
    text, page_starts = join_pages(_parts(content, kind, limits))
    if not has_words(text):
        raise RefusedError("empty_output")
    if len(text) > limits.output_bytes:
        raise RefusedError("bomb")
    if len(page_starts) > limits.pages:
        raise RefusedError("too_many_pages", pages=len(page_starts))
    return text, page_starts if kind in {FileType.PDF, FileType.PPTX} else ()


def _parts(content: bytes, kind: FileType, limits: ParserLimits) -> Sequence[str]:
    """Return pages or slides, or a single part if the format has none."""
    match kind:
        case FileType.PDF:
            return pdf_pages(content, limits.pages)
        case FileType.PPTX:
            return marked_pages(content, kind)
        case FileType.CSV:
            return [marked_text(_decoded(content).encode(), kind)]
        case FileType.HTML:
            return [marked_text(_declared(content).encode(), kind)]
        case _:
            return [marked_text(content, kind)]


def _decoded(content: bytes) -> str:
    text = decode(content)
    if text is None:
        raise RefusedError("unsupported")
    return text


def _declared(content: bytes) -> str:
    """Decode a file by the encoding that it names, if there is such an encoding and it fits."""
    declared = DECLARED_ENCODING.search(content, 0, DECLARED_WITHIN)
    try:
        return content.decode(declared[1].decode("ascii") if declared else "utf-8")
    except (LookupError, ValueError):
        return _decoded(content)
