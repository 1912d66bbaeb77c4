"""RTF as it is shown: without what was deleted, with the numbers of clauses, notes and comments as text."""

import re
import unicodedata
from collections.abc import Iterator

SIGN = re.compile(rb"\\[\\{}]|[{}]|\\(?P<word>deleted|plain)(?![a-z])(?P<number>-?\d*)")
"""What begins and ends groups, and what is deleted within them; `plain` switches all properties of characters off."""
BRACES = (b"{", b"}")
NUMBERED = re.compile(rb"\{\\listtext(?![a-z])([^{}]{0,2000})\}")
LIST = re.compile(rb"\\(?:ls|ilvl)\d{1,9}(?![0-9]) ?")
CONTROL = re.compile(rb"\\(?:[a-z]+-?\d* ?|'[0-9a-f]{2})", re.IGNORECASE)
PARAGRAPH_END = re.compile(rb"\\par(?![a-z])")
PROPERTIES_WITHIN = 600
"""How far behind its number a paragraph says that it is in a list, in bytes."""
MARKED = re.compile(rb"([A-Za-z])\\u(7[6-9]\d|8[0-7]\d) ?(?:\?|\\'[0-9a-f]{2})")
"""A letter and the mark above it, which stands in a character of its own."""
SIGNS = re.compile(rb"(\\\\)|\\_|\\page(?![a-z]) ?")
"""A hyphen at which no line ends, and the end of a page; a backslash that is text comes before."""
NOTES = (
    (re.compile(rb"\\chftn(?![a-z])"), b""),
    (re.compile(rb"\{(?:\\\*)?\\footnote(?![a-z])"), rb"{ Footnote: "),
    (re.compile(rb"\{(?:\\\*)?\\annotation(?![a-z])"), rb"{ Comment: "),
)


def as_shown(content: bytes) -> bytes:
    """Return the file whose text says what the original shows."""
    content = b"".join(_without_numbered_lists(b"".join(_without_deleted(content))))
    for sign, words in NOTES:
        content = sign.sub(words, content)
    content = SIGNS.sub(_sign, content)
    return MARKED.sub(_composed, content)


def _sign(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return found[1]
    return b"-" if found[0] == b"\\_" else b"\\par "


def _composed(found: re.Match[bytes]) -> bytes:
    letter = unicodedata.normalize("NFC", found[1].decode() + chr(int(found[2])))
    return b"\\u%d?" % ord(letter) if len(letter) == 1 else found[0]


def _without_deleted(content: bytes) -> Iterator[bytes]:
    """Yield what is left without what was deleted: until its group ends, or the property is switched off."""
    at, is_deleted, around = 0, False, list[bool]()
    for sign in SIGN.finditer(content):
        if not is_deleted:
            yield content[at : sign.start()]
        at = sign.start()
        if sign[0] == b"{":
            around.append(is_deleted)
        elif sign[0] == b"}":
            is_deleted = around.pop() if around else False
        elif sign["word"]:
            is_deleted = sign["word"] == b"deleted" and sign["number"] != b"0"
        yield sign[0] if sign[0] in BRACES or not is_deleted else b""
        at = sign.end()
    if not is_deleted:
        yield content[at:]


def _without_numbered_lists(content: bytes) -> Iterator[bytes]:
    """Yield the content with numbers as text of their paragraphs, which are in no list any more; bullets stay."""
    at = 0
    for found in NUMBERED.finditer(content):
        if not any(chr(byte).isalnum() for byte in CONTROL.sub(b"", found[1])):
            continue
        yield from _behind_number(content, at, found.start())
        yield b"{" + found[1] + b"}"
        at = found.end()
    yield from _behind_number(content, at, len(content))


def _behind_number(content: bytes, start: int, end: int) -> Iterator[bytes]:
    """Yield what follows a number, without what says that its paragraph is in a list."""
    properties = min(start + PROPERTIES_WITHIN, end) if start else 0
    paragraph_end = PARAGRAPH_END.search(content, start, properties)
    properties = paragraph_end.start() if paragraph_end else properties
    yield LIST.sub(b"", content[start:properties])
    yield content[properties:end]
