"""From a file's bytes to its text: which tool reads which kind. Runs in the worker."""

import re
from collections.abc import Sequence

from ingest_assets.adapters.parsers.limits import ParserLimits
from ingest_assets.adapters.parsers.packages import inspect_package
from ingest_assets.adapters.parsers.pdf import pdf_pages
from ingest_assets.adapters.parsers.refusals import RefusedError
from ingest_assets.adapters.parsers.xberg_markdown import marked_pages, marked_text
from ingest_assets.domain.file_types import FileType
from ingest_assets.domain.text import decode, has_words, join_pages

DECLARED_ENCODING = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
DECLARED_WITHIN = 1024


def extract(content: bytes, kind: FileType, limits: ParserLimits) -> tuple[str, tuple[int, ...]]:
    """The text and where its pages start. Raises RefusedError."""
    if kind.is_zip:
        inspect_package(content, declarations_allowed=kind is FileType.EPUB)
    text, page_starts = join_pages(_parts(content, kind, limits))
    if not has_words(text):
        raise RefusedError("empty_output")
    if len(text) > limits.output_bytes:
        raise RefusedError("bomb")
    return text, page_starts if kind in {FileType.PDF, FileType.PPTX} else ()


def _parts(content: bytes, kind: FileType, limits: ParserLimits) -> Sequence[str]:
    """Pages or slides; one part where the format has none."""
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
    """By the encoding that an HTML file names, where there is such an encoding and it fits."""
    declared = DECLARED_ENCODING.search(content, 0, DECLARED_WITHIN)
    try:
        return content.decode(declared[1].decode("ascii") if declared else "utf-8")
    except (LookupError, ValueError):
        return _decoded(content)
