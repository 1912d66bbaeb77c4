"""Files of Outlook, written from scratch: a compound file (MS-CFB) with a mail's properties in it (MS-OXMSG)."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

SECTOR, MINI_SECTOR = 512, 64
SMALL = 4096
"""Smaller streams lie in the mini stream."""
END, FREE, OF_FAT, NOTHING = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF
INTEGER, TIME, TEXT, BINARY = 0x0003, 0x0040, 0x001F, 0x0102
BY_VALUE, EMBEDDED = 1, 5

Storage = dict[str, "Storage | bytes"]


@dataclass(frozen=True)
class OutlookMail:
    subject: str
    body: str = ""
    html: str | None = None
    packed_rtf: bytes | None = None
    files: Sequence[tuple[str, bytes]] = ()
    shown_pictures: Sequence[tuple[str, bytes]] = ()
    """Pictures that the text shows."""
    messages: Sequence["OutlookMail"] = field(default_factory=list)


def outlook_file(mail: OutlookMail) -> bytes:
    return compound_file(_message(mail, header=32))


def _message(mail: OutlookMail, *, header: int) -> Storage:
    storage: Storage = {}
    properties = [
        _text(storage, 0x0037, mail.subject),
        _text(storage, 0x1000, mail.body),
        _text(storage, 0x0C1A, "Ada Broker"),
        _text(storage, 0x0C1F, "ada@example.invalid"),
        _fixed(TIME, 0x0039, 133_850_880_000_000_000),
    ]
    if mail.html is not None:
        properties.append(_binary(storage, 0x1013, mail.html.encode()))
        properties.append(_fixed(INTEGER, 0x3FDE, 65001))
    if mail.packed_rtf is not None:
        properties.append(_binary(storage, 0x1009, mail.packed_rtf))
    storage["__recip_version1.0_#00000000"] = _recipient("Claims", "claims@example.invalid")
    attachments = [
        *(_attached_file(name, content, shown=False) for name, content in mail.files),
        *(_attached_file(name, content, shown=True) for name, content in mail.shown_pictures),
        *(_attached_message(each) for each in mail.messages),
    ]
    for number, attachment in enumerate(attachments):
        storage[f"__attach_version1.0_#{number:08X}"] = attachment
    counts = struct.pack("<8x4I", 1, len(attachments), 1, len(attachments)).ljust(header, b"\0")
    storage["__properties_version1.0"] = counts + b"".join(properties)
    return storage


def _recipient(name: str, address: str) -> Storage:
    storage: Storage = {}
    properties = [_text(storage, 0x3001, name), _text(storage, 0x39FE, address), _fixed(INTEGER, 0x0C15, 1)]
    return storage | {"__properties_version1.0": bytes(8) + b"".join(properties)}


def _attached_file(name: str, content: bytes, *, shown: bool) -> Storage:
    storage: Storage = {}
    properties = [
        _fixed(INTEGER, 0x3705, BY_VALUE),
        _text(storage, 0x3707, name),
        _binary(storage, 0x3701, content),
    ]
    if shown:
        properties.append(_text(storage, 0x3712, "picture@example.invalid"))
    return storage | {"__properties_version1.0": bytes(8) + b"".join(properties)}


def _attached_message(mail: OutlookMail) -> Storage:
    properties = bytes(8) + _fixed(INTEGER, 0x3705, EMBEDDED)
    return {"__substg1.0_3701000D": _message(mail, header=24), "__properties_version1.0": properties}


def _text(storage: Storage, property_id: int, value: str) -> bytes:
    content = value.encode("utf-16-le")
    storage[f"__substg1.0_{property_id:04X}{TEXT:04X}"] = content
    return struct.pack("<HHIII", TEXT, property_id, 6, len(content) + 2, 0)


def _binary(storage: Storage, property_id: int, content: bytes) -> bytes:
    storage[f"__substg1.0_{property_id:04X}{BINARY:04X}"] = content
    return struct.pack("<HHIII", BINARY, property_id, 6, len(content), 0)


def _fixed(kind: int, property_id: int, value: int) -> bytes:
    return struct.pack("<HHIQ", kind, property_id, 6, value)


@dataclass
class _Entry:
    name: str
    kind: int
    start: int = END
    size: int = 0
    child: int = NOTHING
    following: int = NOTHING

    def packed(self) -> bytes:
        name = self.name.encode("utf-16-le")
        head = name.ljust(64, b"\0") + struct.pack("<HBB", len(name) + 2, self.kind, 1)
        return head + struct.pack("<3I36xIQ", NOTHING, self.following, self.child, self.start, self.size)


def compound_file(root: Storage) -> bytes:
    """Return a compound file of version 3 with these storages and streams."""
    entries = [_Entry("Root Entry", 5)]
    small, large = bytearray(), list[tuple[_Entry, bytes]]()
    mini_fat: list[int] = []
    _add(root, entries[0], entries, small, mini_fat, large)
    entries[0].size = len(small)
    directory = b"".join(entry.packed() for entry in entries)
    directory += b"".join(_Entry("", 0).packed() for _ in range(-len(entries) % 4))
    parts = [directory, struct.pack(f"<{len(mini_fat)}I", *mini_fat), bytes(small), *(content for _, content in large)]
    needed = [-(-len(part) // SECTOR) for part in parts]
    of_fat = next(count for count in range(1, 110) if count * 128 >= count + sum(needed))
    fat = [OF_FAT] * of_fat
    starts = []
    for count in needed:
        starts.append(len(fat) if count else END)
        fat += [*range(len(fat) + 1, len(fat) + count), END] if count else []
    entries[0].start = starts[2]
    for (entry, _), start in zip(large, starts[3:], strict=True):
        entry.start = start
    parts[0] = b"".join(entry.packed() for entry in entries).ljust(len(directory), b"\0")
    fat += [FREE] * (of_fat * 128 - len(fat))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<10I", 0, of_fat, starts[0], 0, SMALL, starts[1], needed[1], END, 0, 0)
    header = header[:-4] + struct.pack(f"<{of_fat}I", *range(of_fat)) + struct.pack("<I", FREE) * (109 - of_fat)
    return header + struct.pack(f"<{len(fat)}I", *fat) + b"".join(_padded(part, SECTOR) for part in parts)


def _add(
    storage: Storage,
    parent: _Entry,
    entries: list[_Entry],
    small: bytearray,
    mini_fat: list[int],
    large: list[tuple[_Entry, bytes]],
) -> None:
    before: _Entry | None = None
    for name, content in storage.items():
        entry = _Entry(name, 2 if isinstance(content, bytes) else 1)
        if before is None:
            parent.child = len(entries)
        else:
            before.following = len(entries)
        entries.append(entry)
        before = entry
        if not isinstance(content, bytes):
            _add(content, entry, entries, small, mini_fat, large)
        elif len(content) >= SMALL:
            entry.size = len(content)
            large.append((entry, content))
        elif content:
            entry.start, entry.size = len(small) // MINI_SECTOR, len(content)
            small += _padded(content, MINI_SECTOR)
            mini_fat += [*range(entry.start + 1, len(small) // MINI_SECTOR), END]


def _padded(content: bytes, size: int) -> bytes:
    return content + bytes(-len(content) % size)
