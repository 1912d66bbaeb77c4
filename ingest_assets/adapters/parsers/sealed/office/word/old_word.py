"""Word's binary files (MS-DOC), rewritten as they are shown: without deleted text, and with heads and feet of pages."""

import re
import struct
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from olefile import OleFileIO
from olefile.olefile import OleFileError

DOCUMENT = "WordDocument"
TABLES = ("0Table", "1Table")
TABLE_FLAG = 0x0200
"""Which of both tables belongs to the text."""
LENGTHS_AT = 64
"""Where the header counts the letters of each text: the main one, its notes, its heads and feet …"""
PIECES, CHARACTER_RUNS = 33, 12
"""The places of two tables in the header's list of them."""
LIST_AT = 154
COMPRESSED = 0x40000000
PAGE = 512
MARKED_DELETED = 0x0800
INVISIBLE = {1: b"\xad", 2: b"\xad\x00"}
"""A soft hyphen, which is left out of every text, by the bytes of a letter."""
DEEPEST_FIELD = 5
FIELD = re.compile("\x13[^\x13\x14\x15]*(?:\x14([^\x13\x14\x15]*))?\x15")
"""A field: what it is to show, and what it shows."""
NO_TEXT = re.compile("[\x00-\x06\x08\x0e-\x1f]")
LINES = re.compile("[\x07\x0b\x0c\r]+")
MARKED = re.compile("[A-Za-z][\u0300-\u036f]")
DAMAGED = (
    *(OleFileError, OSError, struct.error, ArithmeticError),
    *(ValueError, LookupError, TypeError, NotImplementedError),
)
SIZES = {0: 1, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2, 7: 3}
"""How many bytes a setting has, by the highest bits of its code; others say it themselves."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Letters that follow each other in the file."""

    start: int
    end: int
    at: int
    width: int
    """The bytes of a letter."""


def as_shown(content: bytes) -> tuple[bytes, str]:
    """Return the file without its deleted text, and what stands at the heads and feet of its pages.

    One that is damaged, or older than Word 97, is returned as it is.
    """
    try:
        with OleFileIO(BytesIO(content)) as file:
            return _as_shown(content, file)
    except DAMAGED:
        return content, ""


def _as_shown(content: bytes, file: OleFileIO) -> tuple[bytes, str]:
    main = bytearray(file.openstream(DOCUMENT).read())
    flags = struct.unpack_from("<H", main, 10)[0]
    table = file.openstream(TABLES[bool(flags & TABLE_FLAG)]).read()
    pieces = list(_pieces(_part(main, table, PIECES)))
    lengths = struct.unpack_from("<8I", main, LENGTHS_AT + 12)
    margins = _margins(bytes(main), pieces, lengths)
    is_hidden = _hide_deleted(main, table, pieces)
    if not _compose(main, pieces) and not is_hidden:
        return content, margins
    written = BytesIO(content)
    with OleFileIO(written, write_mode=True) as copy:
        copy.write_stream(DOCUMENT, bytes(main))
    return written.getvalue(), margins


def _part(main: bytes | bytearray, table: bytes, number: int) -> bytes:
    at, length = struct.unpack_from("<II", main, LIST_AT + 8 * number)
    return table[at : at + length]


def _pieces(described: bytes) -> Iterator[Piece]:
    """Yield the pieces of the text, behind what a saved change has to say of them."""
    at = 0
    while described[at] == 1:
        at += 3 + struct.unpack_from("<H", described, at + 1)[0]
    length = struct.unpack_from("<I", described, at + 1)[0]
    listed = described[at + 5 : at + 5 + length]
    count = (length - 4) // 12
    starts = struct.unpack_from(f"<{count + 1}I", listed)
    for number in range(count):
        place = struct.unpack_from("<I", listed, 4 * (count + 1) + 8 * number + 2)[0]
        narrow = bool(place & COMPRESSED)
        at = (place & ~COMPRESSED) // 2 if narrow else place
        yield Piece(starts[number], starts[number + 1], at, 1 if narrow else 2)


def _margins(main: bytes, pieces: list[Piece], lengths: tuple[int, ...]) -> str:
    """Return each line of the heads and feet once."""
    start = lengths[0] + lengths[1]
    letters = "".join(_letters(main, piece, start, start + lengths[2]) for piece in pieces)
    for _ in range(DEEPEST_FIELD):
        letters = FIELD.sub(lambda field: field[1] or "", letters)
    lines = (" ".join(NO_TEXT.sub("", line).split()) for line in LINES.split(letters))
    return "\n\n".join(dict.fromkeys(filter(None, lines)))


def _letters(main: bytes, piece: Piece, start: int, end: int) -> str:
    first, last = max(start, piece.start), min(end, piece.end)
    if first >= last:
        return ""
    at = piece.at + (first - piece.start) * piece.width
    return main[at : at + (last - first) * piece.width].decode("cp1252" if piece.width == 1 else "utf-16-le", "replace")


def _hide_deleted(main: bytearray, table: bytes, pieces: list[Piece]) -> bool:
    """Overwrite the letters that are marked as deleted; return whether there are any."""
    changed = False
    for start, end in _deleted(bytes(main), _part(main, table, CHARACTER_RUNS)):
        for piece in pieces:
            first = max(start, piece.at)
            last = min(end, piece.at + (piece.end - piece.start) * piece.width)
            for at in range(first, last - piece.width + 1, piece.width):
                if main[at] >= ord(" ") or any(main[at + 1 : at + piece.width]):
                    main[at : at + piece.width] = INVISIBLE[piece.width]
                    changed = True
    return changed


def _compose(main: bytearray, pieces: list[Piece]) -> bool:
    """Put letters and their marks into one: of other texts, xberg loses headings; return whether there are any."""
    changed = False
    for piece in pieces:
        span = slice(piece.at, piece.at + (piece.end - piece.start) * piece.width)
        if piece.width == len(INVISIBLE[2]):
            text = bytes(main[span]).decode("utf-16-le", "surrogatepass")
            composed = MARKED.sub(_composed, text)
            changed |= composed != text
            main[span] = composed.encode("utf-16-le", "surrogatepass")
    return changed


def _composed(found: re.Match[str]) -> str:
    letter = unicodedata.normalize("NFC", found[0])
    return letter + "\xad" if len(letter) == 1 else found[0]


def _deleted(main: bytes, described: bytes) -> Iterator[tuple[int, int]]:
    """Yield where runs of letters begin and end that are marked as deleted."""
    count = (len(described) - 4) // 8
    pages = struct.unpack_from(f"<{count}I", described, 4 * (count + 1))
    for number in pages:
        page = main[number * PAGE : (number + 1) * PAGE]
        runs = page[-1]
        edges = struct.unpack_from(f"<{runs + 1}I", page)
        for run in range(runs):
            at = 2 * page[4 * (runs + 1) + run]
            if at and _is_deleted(page[at + 1 : at + 1 + page[at]]):
                yield edges[run], edges[run + 1]


def _is_deleted(properties: bytes) -> bool:
    """Return whether the properties of a run say that it was deleted."""
    return any(code == MARKED_DELETED and value[:1] == b"\x01" for code, value in _settings(properties))


def _settings(properties: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 3 <= len(properties):
        code = struct.unpack_from("<H", properties, at)[0]
        size = SIZES.get(code >> 13)
        start = at + 2 if size is not None else at + 3
        size = properties[at + 2] if size is None else size
        yield code, properties[start : start + size]
        at = start + size
