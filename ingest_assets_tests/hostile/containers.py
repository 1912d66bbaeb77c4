"""Containers as no honest program writes them: ZIP and PDF, put together byte by byte."""

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingest_assets_tests.sample_files import CONTENT_TYPES, MAIN_PARTS, WORD

MEGABYTE = 1 << 20
GIGABYTE = 1 << 30
STORED, DEFLATED, LZMA = 0, 8, 14
TYPES = f'<Override ContentType="application/vnd.openxmlformats-officedocument.{WORD}.main+xml"/>'.encode()


def deflated(letter: bytes = b" ", size: int = GIGABYTE) -> bytes:
    """So many letters, deflated without being made: one megabyte of them, packed so that it can be repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    piece = packer.compress(letter * MEGABYTE) + packer.flush(zlib.Z_FULL_FLUSH)
    return piece * (size // MEGABYTE) + b"\x03\x00"


def zlib_stream(raw: bytes) -> bytes:
    """Its checksum is left out, which readers of PDF do not mind."""
    return b"\x78\x9c" + raw


@dataclass(frozen=True, slots=True)
class Entry:
    name: bytes
    packed: bytes
    declared: int
    """What the directory says it unpacks to."""
    method: int = DEFLATED

    def header(self) -> bytes:
        checksum = zlib.crc32(self.packed) if self.method == STORED else 0
        sizes = struct.pack("<IIIHH", checksum, len(self.packed), self.declared, len(self.name), 0)
        return struct.pack("<HHHHH", 20, 0, self.method, 0, 33)[2:] + sizes


def zip_file(entries: Sequence[Entry]) -> bytes:
    """Entries with equal content share its bytes."""
    body, directory = bytearray(), bytearray()
    places: dict[bytes, int] = {}
    for entry in entries:
        if entry.packed not in places:
            places[entry.packed] = len(body)
            body += b"PK\x03\x04" + b"\x14\x00" + entry.header() + entry.name + entry.packed
        directory += b"PK\x01\x02" + b"\x14\x00\x14\x00" + entry.header()
        directory += struct.pack("<HHHII", 0, 0, 0, 0, places[entry.packed]) + entry.name
    count = min(len(entries), 0xFFFF)
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(body), 0)
    return bytes(body + directory) + b"PK\x05\x06" + end


def word_file(main_part: bytes, declared: int, method: int = DEFLATED) -> bytes:
    """A Word document with this as its packed text."""
    types = Entry(CONTENT_TYPES.encode(), TYPES, len(TYPES), STORED)
    return zip_file([types, Entry(MAIN_PARTS[WORD].encode(), main_part, declared, method)])


def pdf_file(objects: Mapping[int, bytes]) -> bytes:
    """Object 1 is the catalogue. With a right cross-reference table."""
    body, offsets = bytearray(b"%PDF-1.7\n"), {}
    for number, content in objects.items():
        offsets[number] = len(body)
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offsets.get(number, 0) for number in range(1, max(objects) + 1))
    size = max(objects) + 1
    head = b"xref\n0 %d\n0000000000 65535 f \n" % size
    trailer = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body))
    return bytes(body) + head + table + trailer


def pdf_page(content: bytes, filters: bytes = b"") -> bytes:
    """A PDF of one page with this content stream."""
    stream = b"<</Length %d%s>>\nstream\n%s\nendstream" % (len(content), filters, content)
    return pdf_file({**PAGE_TREE, 4: stream})


PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>"
FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
PAGE_TREE = {
    1: b"<</Type/Catalog/Pages 2 0 R>>",
    2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
    3: PAGE,
    5: FONT,
}
