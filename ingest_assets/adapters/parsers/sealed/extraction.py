"""Extract the text from a file's bytes, with the right tool for its type."""

import codecs
import encodings
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from encodings.aliases import aliases
from importlib import import_module
from pkgutil import iter_modules

from ingest_assets.adapters.parsers.sealed import archive, books, outlook, rich_text
from ingest_assets.adapters.parsers.sealed import mail as internet
from ingest_assets.adapters.parsers.sealed.limits import ParserLimits
from ingest_assets.adapters.parsers.sealed.mail import attachments_of, mail_markdown
from ingest_assets.adapters.parsers.sealed.office import open_text
from ingest_assets.adapters.parsers.sealed.office.slides import open_document, powerpoint
from ingest_assets.adapters.parsers.sealed.office.spreadsheets import SPREADSHEETS, spreadsheet_text
from ingest_assets.adapters.parsers.sealed.office.word import document, old_word
from ingest_assets.adapters.parsers.sealed.pdf import count_pages, pdf_pages
from ingest_assets.adapters.parsers.sealed.recognition import Recogniser, picture_pages
from ingest_assets.adapters.parsers.sealed.refusals import RefusedError
from ingest_assets.adapters.parsers.sealed.separated_values import without_separator_line
from ingest_assets.adapters.parsers.sealed.web_pages import as_shown
from ingest_assets.adapters.parsers.sealed.xberg_markdown import marked_text
from ingest_assets.domain.documents.document import Attachment
from ingest_assets.domain.documents.warnings import WarningKind
from ingest_assets.domain.files.file_types import CONTAINERS, FileType
from ingest_assets.domain.files.packages import inspect_package
from ingest_assets.domain.text.calendars import calendar_markdown
from ingest_assets.domain.text.normalisation import composed, decode, has_words, join_pages

__all__ = ["count_pages", "extract", "load", "start_threads"]

DECLARED_ENCODING = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
DECLARED_WITHIN = 1024
PAGED = {FileType.PDF, FileType.PPTX, FileType.ODP, *(kind for kind in FileType if kind.is_picture)}
RECOGNISERS: list[Recogniser] = []
"""What recognises text, if the worker has loaded it."""
SPECIMEN = b"<html><p>Cover</p></html>"


def load() -> None:
    """Load what would otherwise be opened on first use: every encoding, and modules."""
    outlook.load_modules()
    import_module("charset_normalizer")
    for encoding in {*aliases.values(), *(module.name for module in iter_modules(encodings.__path__))}:
        with suppress(LookupError):  # other systems have some of them
            codecs.lookup(encoding)


def start_threads() -> None:
    """Start the threads that xberg runs on, by having it read something."""
    marked_text(SPECIMEN, FileType.HTML)


@dataclass(frozen=True, slots=True)
class Extraction:
    """What was read of a file."""

    text: str
    page_starts: tuple[int, ...]
    """The offsets in the text at which its pages start; empty if the format has none."""
    warnings: Counter[WarningKind]
    """What was not read."""
    attachments: Sequence[Attachment] = ()


def extract(content: bytes, kind: FileType, limits: ParserLimits) -> Extraction:
    """Return the text and what it lacks.

    Raises:
        RefusedError: The worker refuses the file, with one of the catalogue's codes.
        PermanentError: corrupt, bomb or external_reference.
    """
    if kind.is_zip:
        inspect_package(content, kind.declarations)
    warnings: Counter[WarningKind] = Counter()
    attachments: Sequence[Attachment] = ()
    if kind is FileType.ZIP:
        attachments = archive.files_of(content, warnings)
        text, page_starts = join_pages([archive.listing(attachments)])
    elif kind in CONTAINERS:
        mail = (outlook if kind is FileType.MSG else internet).mail_of(content, warnings)
        attachments = attachments_of(mail, warnings)
        text, page_starts = join_pages([mail_markdown(mail)])
    else:
        text, page_starts = join_pages(_parts(content, kind, limits, warnings))
    if not has_words(text):
        raise RefusedError("needs_ocr" if warnings[WarningKind.PAGES_WITHOUT_TEXT] else "empty_output")
    if len(text.encode()) > limits.output_bytes:
        raise RefusedError("bomb")
    if len(page_starts) > limits.pages:
        raise RefusedError("too_many_pages", pages=len(page_starts))
    return Extraction(text, page_starts if kind in PAGED else (), warnings, attachments)


def _parts(content: bytes, kind: FileType, limits: ParserLimits, warnings: Counter[WarningKind]) -> Sequence[str]:
    """Return pages or slides, or a single part if the format has none; count what they lack."""
    recogniser = next(iter(RECOGNISERS), None)
    if recogniser is not None:
        recogniser.begin_document()
    match kind:
        case FileType.PDF:
            return pdf_pages(content, limits.pages, warnings, recogniser)
        case FileType.TIFF | FileType.JPEG | FileType.PNG:
            if recogniser is None:
                raise RefusedError("needs_ocr")
            return picture_pages(content, limits.pages, warnings, recogniser)
        case FileType.PPTX:
            return powerpoint.slide_texts(content, warnings)
        case FileType.ODP:
            return open_document.slide_texts(content, warnings)
        case _:
            return [_whole(content, kind, warnings)]


def _whole(content: bytes, kind: FileType, warnings: Counter[WarningKind]) -> str:
    if kind in SPREADSHEETS:
        return spreadsheet_text(content, kind, warnings)
    if kind is FileType.CALENDAR:
        return calendar_markdown(_decoded(content))
    if kind is FileType.DOC:
        shown, margins = old_word.as_shown(content)
        return "\n\n".join(filter(None, (margins, marked_text(shown, kind))))
    return marked_text(_as_shown(content, kind, warnings), kind)


def _as_shown(content: bytes, kind: FileType, warnings: Counter[WarningKind]) -> bytes:
    """Return the file as xberg should read it: with what it would lose written out, in an encoding that it knows."""
    match kind:
        case FileType.DOCX:
            return document.as_shown(content, warnings)
        case FileType.ODT:
            return open_text.as_shown(content, warnings)
        case FileType.RTF:
            return rich_text.as_shown(content)
        case FileType.EPUB:
            return books.composed_pages(content)
        case FileType.CSV | FileType.HTML:
            text = as_shown(_declared(content)) if kind is FileType.HTML else without_separator_line(_decoded(content))
            return composed(text).encode()
        case _:
            return content


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
    except (LookupError, ValueError, OSError):  # an unknown one would be looked for among the files
        return _decoded(content)
