"""What Outlook wraps into a winmail.dat (MS-OXTNEF): the text of a mail, and its attachments."""

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from compressed_rtf import decompress

from ingest_assets.domain.text.normalisation import decode

MEDIA_TYPES = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
MARK = struct.pack("<I", 0x223E9F78)
START = 6
"""The length of the mark and the key behind it."""
BODY, PROPERTIES = 0x2800C, 0x69003
BEGIN, NAME, DATA, ATTACHED_PROPERTIES = 0x69002, 0x18010, 0x6800F, 0x69005
LONG_NAME, PLAIN, HTML, RICH = 0x3707, 0x1000, 0x1013, 0x1009
SIZES = {2: 4, 3: 4, 4: 4, 0xA: 4, 0xB: 4, 5: 8, 6: 8, 7: 8, 0x14: 8, 0x40: 8, 0x48: 16}
"""How many bytes a property of a type takes; all others say it."""
TEXT8, TEXT16, BINARY = 0x1E, 0x1F, 0x102
MANY, NAMED = 0x1000, 0x8000


@dataclass(slots=True)
class Wrapped:
    plain: str = ""
    html: str = ""
    rich_text: bytes | None = None
    files: list[tuple[str, bytes]] = field(default_factory=list)


def unwrapped(content: bytes) -> Wrapped | None:
    """Return what is wrapped as far as it can be read, or None if nothing is."""
    wrapped = Wrapped()
    with suppress(struct.error, IndexError):
        for attribute, value in _attributes(content):
            _take(wrapped, attribute, value)
    found = wrapped.plain or wrapped.html or wrapped.rich_text or wrapped.files
    return wrapped if found else None


def _take(wrapped: Wrapped, attribute: int, value: bytes) -> None:
    if attribute == BODY:
        wrapped.plain = _text(value)
    elif attribute == PROPERTIES:
        known = dict(_properties(value))
        wrapped.plain = _text(known.get(PLAIN, b"")) or wrapped.plain
        wrapped.html = _text(known.get(HTML, b""))
        with suppress(Exception):  # the library raises nothing more special
            wrapped.rich_text = decompress(known[RICH]) if RICH in known else None
    elif attribute == BEGIN:
        wrapped.files.append(("attachment", b""))
    elif wrapped.files:
        name, content = wrapped.files[-1]
        if attribute == NAME:
            name = _text(value) or name
        elif attribute == ATTACHED_PROPERTIES:
            name = _text(dict(_properties(value)).get(LONG_NAME, b"")) or name
        elif attribute == DATA:
            content = value
        wrapped.files[-1] = name, content


def _attributes(content: bytes) -> Iterator[tuple[int, bytes]]:
    at = START if content.startswith(MARK) else len(content)
    while at < len(content):
        attribute, length = struct.unpack_from("<II", content, at + 1)
        start = at + 9
        yield attribute, content[start : start + length]
        at = start + length + 2


def _properties(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield texts and bytes among the properties of a message or an attachment, in bytes of UTF-8."""
    count = struct.unpack_from("<I", content)[0]
    at = 4
    for _ in range(min(count, len(content))):
        kind, name = struct.unpack_from("<HH", content, at)
        at = _behind_name(content, at + 4) if name >= NAMED else at + 4
        base, size = kind & ~MANY, SIZES.get(kind & ~MANY)
        if size is not None:
            times = struct.unpack_from("<I", content, at)[0] if kind & MANY else 1
            at += times * size + (4 if kind & MANY else 0)
            continue
        values = struct.unpack_from("<I", content, at)[0]
        at += 4
        for _ in range(min(values, len(content))):
            length = struct.unpack_from("<I", content, at)[0]
            value = content[at + 4 : at + 4 + length]
            at += 4 + length + -length % 4
            if base in {TEXT8, TEXT16, BINARY}:
                yield name, value.decode("utf-16-le", "replace").encode() if base == TEXT16 else value


def _behind_name(content: bytes, at: int) -> int:
    kind, length = struct.unpack_from("<II", content, at + 16)
    return at + 24 + (length + -length % 4 if kind else 0)


def _text(value: bytes) -> str:
    value = value.rstrip(b"\0")
    return decode(value) or value.decode("cp1252", "replace")
