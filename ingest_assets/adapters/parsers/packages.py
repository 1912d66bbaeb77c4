"""What a ZIP package really unpacks to: its directory may lie, so every entry is inflated and counted."""

import zlib
from collections.abc import Iterator
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from ingest_assets.adapters.parsers.refusals import RefusedError
from ingest_assets.domain.containers import MOST_COMPRESSION, MOST_UNPACKED_BYTES, UNREADABLE

PIECE = 1 << 20
LOCAL_HEADER = 30
XML_ENDINGS = (".xml", ".rels", ".xhtml", ".html", ".opf", ".ncx")
DECLARATION = b"<!DOCTYPE"
ENTITY = b"<!ENTITY"


def inspect_package(content: bytes, *, declarations_allowed: bool) -> None:
    """Raises RefusedError bomb or corrupt. EPUB's pages may declare a document type, office documents never do."""
    budget = min(MOST_UNPACKED_BYTES, MOST_COMPRESSION * len(content))
    try:
        with ZipFile(BytesIO(content)) as package:
            entries = package.infolist()
    except UNREADABLE:
        raise RefusedError("corrupt") from None
    for entry in entries:
        budget -= _inspect_entry(content, entry, budget, declarations_allowed=declarations_allowed)


def _inspect_entry(content: bytes, entry: ZipInfo, budget: int, *, declarations_allowed: bool) -> int:
    size, tail = 0, b""
    for piece in _inflate(content, entry):
        size += len(piece)
        if size > budget:
            raise RefusedError("bomb")
        if entry.filename.lower().endswith(XML_ENDINGS):
            _refuse_entities(tail + piece, declarations_allowed=declarations_allowed)
            tail = piece[-len(DECLARATION) :]
    return size


def _refuse_entities(xml: bytes, *, declarations_allowed: bool) -> None:
    upper = xml.replace(b"\x00", b"")
    if ENTITY in upper:
        raise RefusedError("bomb")
    if DECLARATION in upper and not declarations_allowed:
        raise RefusedError("corrupt")


def _inflate(content: bytes, entry: ZipInfo) -> Iterator[bytes]:
    start = _data_start(content, entry)
    packed = memoryview(content)[start : start + entry.compress_size]
    if entry.compress_type == ZIP_STORED:
        yield from (bytes(packed[at : at + PIECE]) for at in range(0, len(packed), PIECE))
    elif entry.compress_type == ZIP_DEFLATED:
        yield from _deflated(packed)
    else:
        raise RefusedError("corrupt")


def _deflated(packed: memoryview) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    rest: bytes | memoryview = packed
    try:
        while rest and not inflater.eof:
            yield inflater.decompress(rest, PIECE)
            rest = inflater.unconsumed_tail
    except zlib.error:
        raise RefusedError("corrupt") from None


def _data_start(content: bytes, entry: ZipInfo) -> int:
    """Behind the local header, whose name and extra field may differ in length from the directory's."""
    at = entry.header_offset
    if content[at : at + 4] != b"PK\x03\x04" or at + LOCAL_HEADER > len(content):
        raise RefusedError("corrupt")
    lengths = content[at + 26 : at + LOCAL_HEADER]
    return at + LOCAL_HEADER + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
