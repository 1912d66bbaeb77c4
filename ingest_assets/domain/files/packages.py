"""Check what a ZIP package really unpacks to: its directory may lie, so every entry is inflated and inspected."""

import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from enum import Enum, auto
from io import BytesIO
from xml.parsers.expat import ExpatError, ParserCreate, XMLParserType
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.files.containers import CONTENT_TYPES, MOST_COMPRESSION, MOST_UNPACKED_BYTES, UNREADABLE
from ingest_assets.domain.files.opaque_parts import Judgement
from ingest_assets.domain.files.part_names import last_segment, shown_name

PIECE = 1 << 20
LOCAL_HEADER = 30
XML_ENDINGS = (".xml", ".rels", ".xhtml", ".opf", ".ncx")
PAGE_ENDING = ".html"
XML_BEGINNING = re.compile(rb"[^<\w]{0,9}<\?xml")
PICTURE_ENDING = ".svg"
"""Drawing programs declare types and entities in these files, and no parser opens them."""
DECLARATION = b"<!DOCTYPE"
ENTITY = b"<!ENTITY"
RELATIONSHIPS_ENDING = ".rels"
LONGEST_RELATIONSHIPS = 20_000_000
LOADED = ("/attachedTemplate", "/oleObject", "/frame", "/subDocument", "/aFChunk")
"""What an office program loads unasked, to run it or to show it as part of the document."""
WEB = re.compile(r"\s*(?:https?|ftp):", re.IGNORECASE)
OLD_OPEN_DOCUMENT = re.compile(rb"<!DOCTYPE[^>\[]{1,200}\"-//OpenOffice\.org//DTD [^>\[]{1,200}>")
"""What OpenOffice and LibreOffice write into manifests, menus and macros."""
READ_PARTS = {"content.xml", "styles.xml", "meta.xml", "settings.xml"}
"""The parts of OpenDocument that parsers read; they declare nothing."""


class Declarations(Enum):
    """Where a package may declare document types; none may declare entities."""

    NOWHERE = auto()
    BESIDE_THE_DOCUMENT = auto()
    """In parts of OpenDocument that hold no text."""
    ANYWHERE = auto()


def inspect_package(content: bytes, declarations: Declarations = Declarations.NOWHERE) -> None:
    """Refuse a package that unpacks to too much, is damaged or loads anything from the web.

    Raises:
        PermanentError: bomb, corrupt or external_reference; each names the part, if it is about one.
    """
    budget = min(MOST_UNPACKED_BYTES, MOST_COMPRESSION * len(content))
    try:
        with ZipFile(BytesIO(content)) as package:
            entries = package.infolist()
    except UNREADABLE:
        raise PermanentError("corrupt") from None
    suspects = []
    for entry in entries:
        part = _inspect_entry(content, entry, budget, declarations)
        budget -= part.size
        if part.is_suspect:
            suspects.append(entry.filename)
    if suspects:
        _refuse_unless_opaque(content, entries, suspects)


def _inspect_entry(content: bytes, entry: ZipInfo, budget: int, declarations: Declarations) -> "_Part":
    part = _Part(entry.filename, declarations)
    try:
        for piece in _inflate(content, entry):
            part.read(piece, budget)
    except PermanentError as refused:
        raise PermanentError(refused.code, part=shown_name(entry.filename)) from None
    return part


class _Part:
    def __init__(self, filename: str, declarations: Declarations) -> None:
        name = filename.lower()
        self.size = 0
        self.is_suspect = False
        """Whether it declares a document type, but only its beginning tells that it might be XML."""
        self._is_named_xml = name.endswith(XML_ENDINGS)
        self._is_xml = self._is_named_xml or name.endswith(PAGE_ENDING)
        self._is_picture = name.endswith(PICTURE_ENDING)
        self._declarations = declarations
        if declarations is Declarations.BESIDE_THE_DOCUMENT and last_segment(name) in READ_PARTS:
            self._declarations = Declarations.NOWHERE
        self._before = b""
        self._relationships = _relationships_reader() if name.endswith(RELATIONSHIPS_ENDING) else None

    def read(self, piece: bytes, budget: int) -> None:
        if self.size + len(piece) > budget:
            raise PermanentError("bomb")
        letters = piece.replace(b"\x00", b"")  # UTF-16 has zeros between them
        if self.size == 0 and not self._is_picture:
            self._is_xml |= XML_BEGINNING.match(letters) is not None
        self.size += len(piece)
        if self._is_xml:
            self._refuse_declarations(self._before + letters)
            self._before = letters[-len(DECLARATION) :]
        if self._relationships:
            self._read_relationships(self._relationships, piece)

    def _refuse_declarations(self, letters: bytes) -> None:
        if ENTITY in letters:
            raise PermanentError("bomb")
        if self._declarations is Declarations.BESIDE_THE_DOCUMENT:
            letters = OLD_OPEN_DOCUMENT.sub(b"", letters)
        if DECLARATION not in letters or self._declarations is Declarations.ANYWHERE:
            return
        if self._is_named_xml:
            raise PermanentError("corrupt")
        self.is_suspect = True

    def _read_relationships(self, reader: XMLParserType, piece: bytes) -> None:
        """Parse a piece of a relationships part, which holds no declarations here.

        The size is limited, because old versions of expat take quadratic time for long tags.
        """
        if self.size > LONGEST_RELATIONSHIPS:
            raise PermanentError("bomb")
        with suppress(ExpatError):  # a part that is not XML loads nothing
            reader.Parse(piece)


def _relationships_reader() -> XMLParserType:
    reader = ParserCreate()
    reader.StartElementHandler = _refuse_what_loads_from_the_web
    return reader


def _refuse_what_loads_from_the_web(_name: str, attributes: dict[str, str]) -> None:
    """Refuse a relationship that loads something from the web.

    Pictures, linked workbooks and templates on a company's drives are common, and nothing here follows them either.
    """
    is_loaded = attributes.get("TargetMode") == "External" and attributes.get("Type", "").endswith(LOADED)
    if is_loaded and WEB.match(attributes.get("Target", "")):
        raise PermanentError("external_reference")


def _refuse_unless_opaque(content: bytes, entries: Sequence[ZipInfo], suspects: Sequence[str]) -> None:
    judgement = Judgement(suspects)
    for entry in entries:
        if entry.filename.lower().endswith(RELATIONSHIPS_ENDING):
            _read_elements(content, entry, judgement.hear_relationship)
        elif entry.filename.lower() == CONTENT_TYPES.lower():
            _read_elements(content, entry, judgement.hear_type)
    judgement.pronounce()


def _read_elements(content: bytes, entry: ZipInfo, started: Callable[[str, dict[str, str]], None]) -> None:
    reader = ParserCreate()
    reader.StartElementHandler = started
    try:
        for piece in _inflate(content, entry):
            reader.Parse(piece)
        reader.Parse(b"", True)  # noqa: FBT003  (expat takes no keyword)
    except ExpatError:
        raise PermanentError("corrupt", part=shown_name(entry.filename)) from None


def _inflate(content: bytes, entry: ZipInfo) -> Iterator[bytes]:
    start = _data_start(content, entry)
    packed = memoryview(content)[start : start + entry.compress_size]
    if entry.compress_type == ZIP_STORED:
        yield from (bytes(packed[at : at + PIECE]) for at in range(0, len(packed), PIECE))
    elif entry.compress_type == ZIP_DEFLATED:
        yield from _deflated(packed)
    else:
        raise PermanentError("corrupt")


def _deflated(packed: memoryview) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    rest: bytes | memoryview = packed
    try:
        while rest and not inflater.eof:
            yield inflater.decompress(rest, PIECE)
            rest = inflater.unconsumed_tail
    except zlib.error:
        raise PermanentError("corrupt") from None


def _data_start(content: bytes, entry: ZipInfo) -> int:
    """Return where the entry's data starts.

    The local header's name and extra field may differ in length from those in the directory.
    """
    at = entry.header_offset
    if content[at : at + 4] != b"PK\x03\x04" or at + LOCAL_HEADER > len(content):
        raise PermanentError("corrupt")
    lengths = content[at + 26 : at + LOCAL_HEADER]
    return at + LOCAL_HEADER + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
