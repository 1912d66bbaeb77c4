"""Recognise what a file is. The content decides; the extension only tells one kind of text from another.

An extension may not contradict the content, unless the same program opens both.
"""

import re
from enum import StrEnum

from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.files.containers import OLE2_MARK, ZIP_MARK, ole2_media_type, zip_media_type
from ingest_assets.domain.files.packages import Declarations, inspect_package
from ingest_assets.domain.files.polyglots import HEAD, HTML_TAG, PDF_MARK, RTF_MARK, is_polyglot
from ingest_assets.domain.text.normalisation import decode, is_text

HTML_TAG_IN_TEXT = re.compile(rf"{HTML_TAG}|<(?:table|meta|style)\b", re.IGNORECASE)


class FileType(StrEnum):
    """The kinds of file that can be parsed; each value is a media type."""

    PDF = "application/pdf"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    ODT = "application/vnd.oasis.opendocument.text"
    ODS = "application/vnd.oasis.opendocument.spreadsheet"
    ODP = "application/vnd.oasis.opendocument.presentation"
    EPUB = "application/epub+zip"
    XLSB = "application/vnd.ms-excel.sheet.binary.macroenabled.12"
    XLS = "application/vnd.ms-excel"
    PPT = "application/vnd.ms-powerpoint"
    DOC = "application/msword"
    RTF = "application/rtf"
    TIFF = "image/tiff"
    JPEG = "image/jpeg"
    PNG = "image/png"
    EML = "message/rfc822"
    MSG = "application/vnd.ms-outlook"
    ZIP = "application/zip"
    CALENDAR = "text/calendar"
    HTML = "text/html"
    CSV = "text/csv"
    MARKDOWN = "text/markdown"
    TEXT = "text/plain"

    @property
    def extensions(self) -> tuple[str, ...]:
        """The extensions in lower case, without the dot."""
        return EXTENSIONS[self]

    @property
    def is_text(self) -> bool:
        """Whether only the extension tells this type from other text."""
        return self in TEXT_TYPES

    @property
    def is_zip(self) -> bool:
        return self in ZIP_TYPES

    @property
    def declarations(self) -> Declarations:
        """Where a package of this type may declare document types."""
        return DECLARATIONS.get(self, Declarations.NOWHERE)

    @property
    def is_picture(self) -> bool:
        """Whether all of its text has to be recognised."""
        return self in PICTURE_MARKS


EXTENSIONS = {
    FileType.PDF: ("pdf",),
    FileType.DOCX: ("docx", "docm", "dotx", "dotm"),
    FileType.PPTX: ("pptx", "pptm", "ppsx", "ppsm", "potx", "potm"),
    FileType.XLSX: ("xlsx", "xlsm", "xltx", "xltm"),
    FileType.ODT: ("odt",),
    FileType.ODS: ("ods",),
    FileType.ODP: ("odp",),
    FileType.EPUB: ("epub",),
    FileType.XLSB: ("xlsb",),
    FileType.XLS: ("xls", "xlt"),
    FileType.PPT: ("ppt", "pps", "pot"),
    FileType.DOC: ("doc", "dot"),
    FileType.RTF: ("rtf",),
    FileType.TIFF: ("tif", "tiff"),
    FileType.JPEG: ("jpg", "jpeg"),
    FileType.PNG: ("png",),
    FileType.EML: ("eml", "mht", "mhtml"),
    FileType.MSG: ("msg",),
    FileType.ZIP: ("zip",),
    FileType.CALENDAR: ("ics",),
    FileType.HTML: ("html", "htm", "xhtml"),
    FileType.CSV: ("csv", "tsv"),
    FileType.MARKDOWN: ("md", "markdown"),
    FileType.TEXT: ("txt", "text", "log"),
}
TYPE_BY_EXTENSION = {extension: kind for kind, extensions in EXTENSIONS.items() for extension in extensions}
TYPE_BY_MEDIA_TYPE = {kind.value: kind for kind in FileType}
OPEN_DOCUMENT = {FileType.ODT, FileType.ODS, FileType.ODP}
ZIP_TYPES = {FileType.DOCX, FileType.PPTX, FileType.XLSX, FileType.XLSB, FileType.EPUB} | OPEN_DOCUMENT
DECLARATIONS = {
    FileType.EPUB: Declarations.ANYWHERE,
    **dict.fromkeys(OPEN_DOCUMENT, Declarations.BESIDE_THE_DOCUMENT),
}
TEXT_TYPES = {FileType.EML, FileType.CALENDAR, FileType.HTML, FileType.CSV, FileType.MARKDOWN, FileType.TEXT}
PICTURE_MARKS = {
    FileType.TIFF: (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
    FileType.JPEG: (b"\xff\xd8\xff",),
    FileType.PNG: (b"\x89PNG\r\n\x1a\n",),
}
"""How the bytes of each kind of picture begin."""
CONTAINERS = {FileType.EML, FileType.MSG, FileType.ZIP}
"""Their attachments become documents of their own."""
PLAIN_TYPES = {FileType.MARKDOWN, FileType.TEXT}
"""Their content is the text: nobody needs to parse it, and no provider would find more in it."""
SAME_PROGRAM = {
    FileType.DOC: {FileType.DOCX, FileType.RTF, FileType.HTML},
    FileType.DOCX: {FileType.DOC, FileType.RTF},
    FileType.RTF: {FileType.DOC, FileType.DOCX},
    FileType.XLS: {FileType.XLSX, FileType.XLSB, FileType.HTML, FileType.CSV},
    FileType.XLSX: {FileType.XLS},
    FileType.PPT: {FileType.PPTX},
    FileType.PPTX: {FileType.PPT},
    **{kind: PICTURE_MARKS.keys() - {kind} for kind in PICTURE_MARKS},
}
"""What the program that an extension stands for opens as well: many systems call RTF .doc, and a table in HTML .xls."""
SEPARATORS = "\t;,"
SELF_ENCODED = {FileType.EML, FileType.HTML}
"""Types whose files name the encoding of their bytes."""


def recognise(content: bytes, filename: str) -> FileType:
    """Return the type of a file from its content and its name.

    Raises:
        PermanentError: empty_file, unsupported, type_mismatch, polyglot, encrypted, corrupt, bomb or
            external_reference.
    """
    if not content:
        raise PermanentError("empty_file")
    found = _agreed(content, filename)
    if found is FileType.ZIP:  # whatever is in it is looked at by itself
        return found
    if is_polyglot(content):
        raise PermanentError("polyglot")
    if found.is_zip:
        inspect_package(content, found.declarations)
    return found


def _agreed(content: bytes, filename: str) -> FileType:
    """Return the type that content and extension agree on."""
    extension = filename.rpartition(".")[2].lower() if "." in filename else ""
    expected = TYPE_BY_EXTENSION.get(extension)
    found = _by_marks(content, expected) or _among_texts(content, expected)
    if expected is None:
        if found is None or (extension and found.is_text):
            raise PermanentError("unsupported")
        return found
    if found is FileType.TEXT and expected is FileType.XLS and _is_separated(content):
        found = FileType.CSV
    if found is None or (found is not expected and found not in SAME_PROGRAM.get(expected, ())):
        raise PermanentError("type_mismatch", found=found.name if found else "of no known kind", expected=expected.name)
    return found


def _is_separated(content: bytes) -> bool:
    """Return whether a text is a table whose first line separates its cells."""
    first_line = (decode(content) or "").lstrip().partition("\n")[0]
    return not first_line.startswith("<") and any(sign in first_line for sign in SEPARATORS)


def _by_marks(content: bytes, expected: FileType | None) -> FileType | None:
    if content.startswith(ZIP_MARK):
        return _zipped(content, expected)
    if content.startswith(OLE2_MARK):
        return _known(ole2_media_type(content))
    if content.lstrip().startswith(RTF_MARK):
        return FileType.RTF
    if _is_pdf(content, expected):
        return FileType.PDF
    return next((kind for kind, marks in PICTURE_MARKS.items() if content.startswith(marks)), None)


def _zipped(content: bytes, expected: FileType | None) -> FileType | None:
    try:
        return _known(zip_media_type(content)) or (FileType.ZIP if expected is FileType.ZIP else None)
    except PermanentError as error:
        if error.code == "encrypted" and expected is FileType.ZIP:
            return FileType.ZIP
        if error.code == "corrupt" and (expected is None or not expected.is_zip):
            return None
        raise


def _known(media_type: str | None) -> FileType | None:
    return TYPE_BY_MEDIA_TYPE.get(media_type or "")


def _is_pdf(content: bytes, expected: FileType | None) -> bool:
    """Return whether the content is a PDF.

    Readers accept other bytes before the header, but a text that merely mentions the header is no PDF.
    """
    start = content.find(PDF_MARK, 0, HEAD)
    return start == 0 or (start > 0 and (expected is FileType.PDF or not is_text(content)))


def _among_texts(content: bytes, expected: FileType | None) -> FileType | None:
    if not is_text(content):
        return expected if expected in SELF_ENCODED and b"\x00" not in content else None
    if expected is not None and expected.is_text:
        return expected
    start = (decode(content) or "").lstrip()[:HEAD]
    return FileType.HTML if start.startswith("<") and HTML_TAG_IN_TEXT.search(start) else FileType.TEXT
