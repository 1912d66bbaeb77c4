"""What a signature is wrapped around (CMS, RFC 5652): such a part is signed, not encrypted."""

from collections.abc import Iterator

SEQUENCE, OCTETS, OBJECT, WRAPPED = 0x30, 0x04, 0x06, 0xA0
CONSTRUCTED = 0x20
UNKNOWN_LENGTH = 0x80
"""The value ends with two zeros."""
SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
DEEPEST = 8


def signed_content(envelope: bytes) -> bytes | None:
    """Return what was signed, or None if the envelope is encrypted, or no envelope."""
    try:
        kind, wrapped, *_ = _parts(_only(envelope, SEQUENCE))
        if kind != (OBJECT, SIGNED_DATA):
            return None
        signed = _only(wrapped[1], SEQUENCE)
        inner = next(value for tag, value in _parts(signed) if tag == SEQUENCE)
        data = next(value for tag, value in _parts(inner) if tag == WRAPPED)
        return b"".join(_octets(data, 0))
    except (IndexError, ValueError, StopIteration):
        return None


def _only(content: bytes, expected: int) -> bytes:
    tag, value = next(_parts(content), (0, b""))
    if tag != expected:
        raise ValueError
    return value


def _octets(content: bytes, depth: int) -> Iterator[bytes]:
    """Yield the pieces of a string, which may be made of strings."""
    if depth > DEEPEST:
        raise ValueError
    for tag, value in _parts(content):
        if tag == OCTETS:
            yield value
        elif tag == OCTETS | CONSTRUCTED:
            yield from _octets(value, depth + 1)


def _parts(content: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(content) and content[at : at + 2] != b"\0\0":
        start, end, after = _span(content, at, 0)
        yield content[at], content[start:end]
        at = after


def _span(content: bytes, at: int, depth: int) -> tuple[int, int, int]:
    """Return where the value at a place begins and ends, and where the next begins."""
    length, start = content[at + 1], at + 2
    if length == UNKNOWN_LENGTH:
        if depth > DEEPEST:
            raise ValueError
        end = start
        while end < len(content) and content[end : end + 2] != b"\0\0":
            end = _span(content, end, depth + 1)[2]
        return start, end, end + 2
    if length > UNKNOWN_LENGTH:
        digits = length - UNKNOWN_LENGTH
        length = int.from_bytes(content[start : start + digits])
        start += digits
    return start, start + length, start + length
