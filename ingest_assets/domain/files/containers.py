"""Tell documents inside ZIP and OLE2 containers apart without unpacking more than a few small parts."""

import re
import struct
import zlib
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.files.compound_files import root_names

ZIP_MARK = b"PK\x03\x04"
OLE2_MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

CONTENT_TYPES = "[Content_Types].xml"
MOST_ENTRIES = 10_000
MOST_UNPACKED_BYTES = 300_000_000
MOST_COMPRESSION = 100
DIRECTORY_ENTRY = b"PK\x01\x02"
ENCRYPTED_ENTRY = 0x1
LONGEST_PART = 1_000_000

METHODS = {ZIP_STORED, ZIP_DEFLATED}
"""Documents use no other methods, and those may allocate gigabytes before the first byte comes out."""

UNREADABLE = (
    BadZipFile,
    struct.error,
    zlib.error,
    ArithmeticError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    ValueError,
)

OFFICE_MAIN_PART = re.compile(
    r"(wordprocessingml|ms-word|presentationml|ms-powerpoint|spreadsheetml|ms-excel)"
    r"\.(?:document|presentation|slideshow|sheet|template)(?:\.macroEnabled(?:Template)?)?\.main\+xml"
)
BINARY_MAIN_PART = "application/vnd.ms-excel.sheet.binary.macroEnabled.main"
BINARY_WORKBOOK = "application/vnd.ms-excel.sheet.binary.macroenabled.12"
OFFICE = "application/vnd.openxmlformats-officedocument."
OFFICE_TYPES = {
    "wordprocessingml": OFFICE + "wordprocessingml.document",
    "ms-word": OFFICE + "wordprocessingml.document",
    "presentationml": OFFICE + "presentationml.presentation",
    "ms-powerpoint": OFFICE + "presentationml.presentation",
    "spreadsheetml": OFFICE + "spreadsheetml.sheet",
    "ms-excel": OFFICE + "spreadsheetml.sheet",
}
EPUB = "application/epub+zip"
EPUB_METHOD = re.compile(r"EncryptionMethod[^>]{0,300}Algorithm=[\"']([^\"']*)")
FONT_OBFUSCATION = {"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"}

WORD, SLIDES, SHEETS = "application/msword", "application/vnd.ms-powerpoint", "application/vnd.ms-excel"
WORD_STREAM = "WordDocument"
OLE2_TYPES = {
    "__properties_version1.0": "application/vnd.ms-outlook",
    WORD_STREAM: WORD,
    "PowerPoint Document": SLIDES,
    "Workbook": SHEETS,
    "Book": SHEETS,
}
"""What documents are by a stream that they have; a mail's attachments have theirs too."""
ENCRYPTED_STREAM = "EncryptedPackage"
ENCRYPTED_SLIDES = re.compile(rb"\x00\x00\xf6\x0f.{4}\x14\x00\x00\x00\xdf\xc4\xd1\xf3", re.DOTALL)
"""The atom that says who opened it last ([MS-PPT] 2.3.2) with the token of encrypted ones."""
OLE2_ENTRY_BYTES = 128
WORD_IDENTITY = 0xA5EC
WORD_ENCRYPTED = 0x0100


def zip_media_type(content: bytes) -> str | None:
    """Return the media type of the document inside a ZIP container, or None if there is none.

    Raises:
        PermanentError: bomb, encrypted, corrupt or polyglot.
    """
    if content.count(DIRECTORY_ENTRY) > MOST_ENTRIES:
        raise PermanentError("bomb")
    try:
        with ZipFile(BytesIO(content)) as package:
            return _package_media_type(package, len(content))
    except UNREADABLE:
        raise PermanentError("corrupt") from None


def ole2_media_type(content: bytes) -> str | None:
    """Return the media type of the document inside an OLE2 container, or None if it is no known one.

    Raises:
        PermanentError: encrypted.
    """
    names = root_names(content)
    is_there = (lambda name: _ole2_entry(content, name) is not None) if names is None else names.__contains__
    kind = next((kind for name, kind in OLE2_TYPES.items() if is_there(name)), None)
    if is_there(ENCRYPTED_STREAM) and kind is None:
        raise PermanentError("encrypted")
    if kind == WORD and _word_is_encrypted(content):
        raise PermanentError("encrypted")
    if kind == SLIDES and ENCRYPTED_SLIDES.search(content):
        raise PermanentError("encrypted")
    return kind


def _package_media_type(package: ZipFile, size: int) -> str | None:
    if any(entry.compress_type not in METHODS for entry in package.infolist()):
        raise PermanentError("corrupt")
    unpacked = sum(entry.file_size for entry in package.infolist())
    if unpacked > min(MOST_UNPACKED_BYTES, size * MOST_COMPRESSION):
        raise PermanentError("bomb")
    if any(entry.flag_bits & ENCRYPTED_ENTRY for entry in package.infolist()):
        raise PermanentError("encrypted")
    types = _part(package, CONTENT_TYPES)
    main_parts = OFFICE_MAIN_PART.findall(types)
    named = _part(package, "mimetype").strip()
    kinds = {OFFICE_TYPES[family] for family in main_parts} | ({named} if named else set())
    if BINARY_MAIN_PART in types:
        kinds.add(BINARY_WORKBOOK)
    if len(kinds) > 1:
        raise PermanentError("polyglot")
    if not main_parts and _is_protected(package):
        raise PermanentError("encrypted")
    return kinds.pop() if kinds else None


def _is_protected(package: ZipFile) -> bool:
    """Return whether parts are encrypted.

    OpenDocument says so in its manifest; EPUB says so in a separate file, which may also list mere fonts.
    """
    methods = set(EPUB_METHOD.findall(_part(package, "META-INF/encryption.xml")))
    return "encryption-data" in _part(package, "META-INF/manifest.xml") or bool(methods - FONT_OBFUSCATION)


def _part(package: ZipFile, name: str) -> str:
    if name not in package.namelist():
        return ""
    with package.open(name) as part:
        return part.read(LONGEST_PART).decode("utf-8", "replace")


def _ole2_entry(content: bytes, name: str) -> int | None:
    """Return the offset of the directory entry with this name ([MS-CFB] 2.6.1), or None.

    Entries are aligned, wherever their sector lies.
    """
    wanted = name.encode("utf-16-le") + b"\x00\x00"
    offset = content.find(wanted)
    while offset >= 0 and offset % OLE2_ENTRY_BYTES:
        offset = content.find(wanted, offset + 1)
    return offset if offset >= 0 else None


def _word_is_encrypted(content: bytes) -> bool:
    """Return whether the first bytes of the WordDocument stream say so ([MS-DOC] 2.5.2)."""
    entry = _ole2_entry(content, WORD_STREAM)
    if entry is None:
        return False
    try:
        (sector_shift,) = struct.unpack_from("<H", content, 30)
        (first_sector,) = struct.unpack_from("<I", content, entry + 116)
        start = (first_sector + 1) << min(sector_shift, 12)
        identity, flags = struct.unpack_from("<H8xH", content, start)
    except struct.error:
        return False
    return bool(identity == WORD_IDENTITY and flags & WORD_ENCRYPTED)
