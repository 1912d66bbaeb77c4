"""Find files made to be two things: a person would open another document than the one that was searched."""

import re

from ingest_assets.domain.files.containers import OLE2_MARK, ZIP_MARK

HEAD = 1024
"""PDF readers accept this many bytes before the header, and browsers look no further for tags."""
PDF_MARK = b"%PDF-"
PDF_END = re.compile(rb"startxref\s+\d+\s+%%EOF")
RTF_MARK = b"{\\rtf"
HTML_TAG = r"<(?:!doctype html|html|head|body)\b"
HTML_TAG_IN_BYTES = re.compile(HTML_TAG.encode(), re.IGNORECASE)
ZIP_END = b"PK\x05\x06"
ZIP_END_BYTES = 22
LONGEST_ZIP_COMMENT = 65_535
ZIP_SLACK = 64
"""How many bytes after the end unpackers overlook; in a PDF, more than that follow an attachment."""
OTHER_MARKS = (
    b"MZ",
    b"\x7fELF",
    b"#!",
    b"\xca\xfe\xba\xbe",
    b"GIF8",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"II*\x00",
    b"MM\x00*",
    b"Rar!",
    b"7z\xbc\xaf",
)
"""Programs, pictures and archives: kinds that can hide behind PDF or ZIP."""


def is_polyglot(content: bytes) -> bool:
    """Return whether more than one kind of reader would accept the content; plain text does not count as a kind."""
    head = content[:HEAD].lstrip()
    is_pdf = content.startswith(PDF_MARK) or (PDF_MARK in content[:HEAD] and PDF_END.search(content) is not None)
    claims = (
        is_pdf,
        content.startswith(ZIP_MARK) or _ends_as_zip(content),
        content.startswith(OLE2_MARK),
        head.startswith(RTF_MARK),
        (is_pdf or head.startswith(b"<")) and HTML_TAG_IN_BYTES.search(head) is not None,
        content.startswith(OTHER_MARKS),
    )
    return sum(claims) > 1


def _ends_as_zip(content: bytes) -> bool:
    """Return whether there is a directory's end record whose comment reaches to the end of the file, or nearly."""
    first = max(0, len(content) - ZIP_END_BYTES - LONGEST_ZIP_COMMENT - ZIP_SLACK)
    ends = (found.start() + ZIP_END_BYTES for found in re.finditer(re.escape(ZIP_END), content[first:]))
    return any(0 <= len(content) - first - end - _number(content, first + end - 2) <= ZIP_SLACK for end in ends)


def _number(content: bytes, at: int) -> int:
    return int.from_bytes(content[at : at + 2], "little")
