"""Spreadsheets of any program as Markdown."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from ingest_assets.adapters.parsers.sealed.office.parts import UnreadableError
from ingest_assets.adapters.parsers.sealed.office.sheets import excel, old_excel, open_document
from ingest_assets.adapters.parsers.sealed.office.sheets.tables import Sheet, markdown
from ingest_assets.adapters.parsers.sealed.xberg_markdown import marked_text
from ingest_assets.domain.documents.warnings import WarningKind
from ingest_assets.domain.files.file_types import FileType

SPREADSHEETS: Mapping[FileType, Callable[[bytes, Counter[WarningKind]], Iterator[Sheet]]] = {
    FileType.XLSX: excel.sheets,
    FileType.XLS: old_excel.sheets,
    FileType.ODS: open_document.sheets,
}


def spreadsheet_text(content: bytes, kind: FileType, warnings: Counter[WarningKind]) -> str:
    """Return the tables of a spreadsheet, and count what is hidden; one that is damaged may still be read by xberg.

    Raises:
        RefusedError: encrypted, bomb or corrupt.
    """
    found: Counter[WarningKind] = Counter()
    try:
        text = markdown(SPREADSHEETS[kind](content, found), found)
    except UnreadableError:
        return marked_text(content, kind)
    warnings.update(found)
    return text
