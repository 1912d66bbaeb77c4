"""Tell documents inside ZIP and OLE2 containers apart without unpacking more than a few small parts."""

import re
import struct
import zlib
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from ingest_assets.domain.errors import PermanentError

ZIP_MARK = b"PK\x03\x04"
OLE2_MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

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
    r"\.(?:document|presentation|slideshow|sheet)(?:\.macroEnabled)?\.main\+xml"
)
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
    word = _ole2_entry(content, "WordDocument")
    if word is not None:
        if _word_is_encrypted(content, word):
            raise PermanentError("encrypted")
        return "application/msword"
    if _ole2_entry(content, "EncryptedPackage") is not None:
        raise PermanentError("encrypted")
    return None


def _package_media_type(package: ZipFile, size: int) -> str | None:
    if any(entry.compress_type not in METHODS for entry in package.infolist()):
        raise PermanentError("corrupt")
    unpacked = sum(entry.file_size for entry in package.infolist())
    if unpacked > min(MOST_UNPACKED_BYTES, size * MOST_COMPRESSION):
        raise PermanentError("bomb")
    if any(entry.flag_bits & ENCRYPTED_ENTRY for entry in package.infolist()):
        raise PermanentError("encrypted")
    main_parts = OFFICE_MAIN_PART.findall(_part(package, "[Content_Types].xml"))
    named = _part(package, "mimetype").strip()
    kinds = {OFFICE_TYPES[family] for family in main_parts} | ({named} if named else set())
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


def _word_is_encrypted(content: bytes, entry: int) -> bool:
    """Return whether the first bytes of the WordDocument stream say so ([MS-DOC] 2.5.2)."""
    try:
        (sector_shift,) = struct.unpack_from("<H", content, 30)
        (first_sector,) = struct.unpack_from("<I", content, entry + 116)
        start = (first_sector + 1) << min(sector_shift, 12)
        identity, flags = struct.unpack_from("<H8xH", content, start)
    except struct.error:
        return False
    return bool(identity == WORD_IDENTITY and flags & WORD_ENCRYPTED)
