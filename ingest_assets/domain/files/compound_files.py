"""The directory of an OLE2 container ([MS-CFB]): what lies in its root, as opposed to what embedded documents hold."""

import struct
from collections.abc import Iterator

ENTRY_BYTES = 128
SECTOR_SHIFTS = {9, 12}
FIRST_TABLES = 109
LAST_SECTOR = 0xFFFFFFFA
NOBODY = 0xFFFFFFFF
LONGEST_NAME = 64


def root_names(content: bytes) -> set[str] | None:
    """Return the names of the streams and storages in the root, or None if the directory cannot be read."""
    try:
        entries = b"".join(_directory(content))
        names = set(_siblings(entries, _number(entries, 76)))
    except (struct.error, LookupError, ValueError):
        return None
    return names or None


def _siblings(entries: bytes, first: int) -> Iterator[str]:
    """Yield the names of an entry and all those beside it, which form a tree."""
    waiting, seen = [first], {NOBODY}
    while waiting:
        number = waiting.pop()
        if number in seen:
            continue
        seen.add(number)
        at = number * ENTRY_BYTES
        (length,) = struct.unpack_from("<H", entries, at + LONGEST_NAME)
        yield entries[at : at + min(length, LONGEST_NAME)].decode("utf-16-le").rstrip("\x00")
        waiting += [_number(entries, at + 68), _number(entries, at + 72)]


def _directory(content: bytes) -> Iterator[bytes]:
    """Yield the sectors of the directory."""
    (shift,) = struct.unpack_from("<H", content, 30)
    if shift not in SECTOR_SHIFTS:
        raise ValueError
    size = 1 << shift
    tables = list(_tables(content, size))
    sector = _number(content, 48)
    for _ in range(len(content) // size + 1):  # a damaged chain may be a circle
        if sector >= LAST_SECTOR:
            return
        start = (sector + 1) * size
        yield content[start : start + size]
        table, place = divmod(sector, size // 4)
        sector = _number(content, (tables[table] + 1) * size + place * 4)
    raise ValueError


def _tables(content: bytes, size: int) -> Iterator[int]:
    """Yield the sectors of the allocation table: the header names some, and a chain of sectors the rest."""
    for place in range(FIRST_TABLES):
        yield _number(content, 76 + 4 * place)
    sector = _number(content, 68)
    for _ in range(len(content) // size + 1):  # a damaged chain may be a circle
        if sector >= LAST_SECTOR:
            return
        start = (sector + 1) * size
        yield from struct.unpack_from(f"<{size // 4 - 1}I", content, start)
        sector = _number(content, start + size - 4)
    raise ValueError


def _number(content: bytes, at: int) -> int:
    (number,) = struct.unpack_from("<I", content, at)
    return int(number)
