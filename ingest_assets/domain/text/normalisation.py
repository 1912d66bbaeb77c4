"""Text in the form that the rest of the system relies on, whatever tool or encoding it came from."""

import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from ingest_assets.domain.text.encodings import other_encoding

BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",  # before UTF-16, because its mark begins like that one
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
LONGEST_MARK_RUN = 30
GRAPHEME_JOINER = "\u034f"
LAST_MARK = 0x1F000
PIECE = 1 << 18
"""How many characters or bytes are handled at once, so that no step copies the whole of a large text."""

_CHANGED_IN_ASCII = bytes({*range(0x20), 0x7F} - {*b"\t\n"})
_APART = re.compile("[\x20-\x7e\u3001\u3002\u3041-\u3096\u4e00-\u9fff\U00020000-\U0002a6df]")
"""Characters that no preceding character changes; a text may be normalised in pieces that begin with one of them."""
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\ufeff\ufffe\uffff]")
_LIGATURES = re.compile("[\ufb00-\ufb06]")
_BETWEEN_MARKS = re.compile("[^<>=]+")
"""What may be composed in markup: a stroke behind one of these would take its place."""
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_TERMINAL_SEQUENCES = re.compile(
    "(?:\x1b\\[|\x9b)[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]"  # CSI: colours, cursors, screens
    # OSC, DCS and the like (titles, links, clipboards), up to their end within the line
    "|(?:\x1b[\\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\n\x1b\x90\x98\x9c-\x9f]*(?:\x07|\x1b\\\\|\x9c)"
    "|\x1b[\x20-\x2f]*[\x30-\x7e]"
)
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_LINE_SEPARATORS = re.compile("[\u2028\u2029]")
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1f\x7f]")
_UNDEFINED_IN_CP1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


def normalise(text: str) -> str:
    """Return the text in NFC, with line feeds as the only line ends.

    Nothing is left that readers cannot see or Postgres refuses: this removes or replaces control characters other than
    line feeds and tabs, ligatures, soft hyphens and surrogates. The function is idempotent and takes linear time.
    """
    if len(text) <= PIECE:
        return _normal_piece(text)
    pieces = list(_pieces(text))
    normal = [_normal_piece(piece) for piece in pieces]
    return text if normal == pieces else "".join(normal)


def composed(markup: str) -> str:
    """Return XML, HTML or any other text with its letters and their marks in NFC, and no other change."""
    if unicodedata.is_normalized("NFC", markup):
        return markup
    return _BETWEEN_MARKS.sub(lambda text: unicodedata.normalize("NFC", _break_mark_runs(text[0])), markup)


def normal_pieces(text: str) -> Iterator[bool]:
    """Yield, for one piece of a text after the other, whether `normalise` would leave it as it is.

    Long runs of marks, which are slow to normalise, are recognised first.
    """
    for piece in _pieces(text):
        yield (piece.isascii() or not _has_long_mark_run(piece)) and _normal_piece(piece) == piece


def printable(text: str) -> str:
    """Return the text as it may be shown in a terminal.

    This removes control sequences, control characters other than line feeds and tabs, bidirectional controls, invisible
    tags and surrogates. The function is idempotent and takes linear time.
    """
    text = _LINE_SEPARATORS.sub(" ", _SURROGATES.sub("\ufffd", text))
    return _UNPRINTABLE.sub("", _TERMINAL_SEQUENCES.sub("", text))


def decode(content: bytes) -> str | None:
    """Return the bytes as text, or None if they are binary.

    The encoding follows from the byte order mark; without one it is UTF-8, UTF-16, Windows-1252, or what else the text
    is plausible in.
    """
    found = _encoding(content)
    return None if found is None else content[found.mark :].decode(found.name)


def decode_normal(content: bytes) -> str | None:
    """Return the bytes decoded and normalised, or None if they are binary; a large text is never held unnormalised."""
    found = _encoding(content)
    if found is None:
        return None
    if len(content) <= PIECE:
        return _normal_piece(content[found.mark :].decode(found.name))
    return "".join(_normal_pieces(_decoded_pieces(content, found)))


def is_text(content: bytes) -> bool:
    """Return whether `decode` finds a text."""
    return _encoding(content) is not None


def has_words(text: str) -> bool:
    return _LETTER_OR_DIGIT.search(text) is not None


@dataclass(frozen=True, slots=True)
class _Encoding:
    name: str
    mark: int = 0
    """The length of the byte order mark in bytes."""


def _encoding(content: bytes) -> _Encoding | None:
    for mark, name in BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return _if_valid(content, _Encoding(name, len(mark)))
    if b"\x00" in content:
        unmarked = _unmarked_utf16(content)
        return _if_valid(content, _Encoding(unmarked)) if unmarked else None
    if (found := _if_valid(content, _Encoding("utf-8"))) is not None:
        return found
    if _BINARY.search(content):
        return None
    other = other_encoding(content)
    found = _if_valid(content, _Encoding(other)) if other else None
    return found or (None if _UNDEFINED_IN_CP1252.search(content) else _Encoding("cp1252"))


def _if_valid(content: bytes, encoding: _Encoding) -> _Encoding | None:
    try:
        holds_zero = any("\x00" in piece for piece in _decoded_pieces(content, encoding))
    except UnicodeDecodeError:
        return None
    return None if holds_zero else encoding


def _decoded_pieces(content: bytes, encoding: _Encoding) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding.name)()
    for start in range(encoding.mark, len(content), PIECE):
        yield decoder.decode(content[start : start + PIECE], final=start + PIECE >= len(content))


def _pieces(text: str) -> Iterator[str]:
    """Yield the text in pieces that may be normalised one by one."""
    start = 0
    while start < len(text):
        apart = _APART.search(text, start + PIECE)
        end = apart.start() if apart else len(text)
        yield text[start:end]
        start = end


def _normal_pieces(decoded: Iterable[str]) -> Iterator[str]:
    """Normalise decoded pieces one by one; a piece without a safe place to cut waits for the next."""
    waiting = [""]
    for piece in decoded:
        apart = _APART.search(piece)
        if apart is None:
            waiting.append(piece)
            continue
        yield _normal_piece("".join([*waiting, piece[: apart.start()]]))
        waiting = [piece[apart.start() :]]
    yield _normal_piece("".join(waiting))


def _normal_piece(text: str) -> str:
    if text.isascii():
        content = text.encode()
        if len(content.translate(None, _CHANGED_IN_ASCII)) == len(content):
            return text
    text = _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text))
    if text.isascii():
        return text
    text = _LIGATURES.sub(lambda found: unicodedata.normalize("NFKC", found[0]), _SURROGATES.sub("\ufffd", text))
    # Twice, because composing moves marks.
    return _break_mark_runs(unicodedata.normalize("NFC", _break_mark_runs(text)))


def _unmarked_utf16(content: bytes) -> str | None:
    """Return the byte order of Western text in UTF-16: nearly every second byte is zero, and no other byte."""
    even, odd = content[0::2].count(0), content[1::2].count(0)
    if min(even, odd) > 0 or max(even, odd) * 4 < len(content):
        return None
    return "utf-16-be" if even else "utf-16-le"


def _has_long_mark_run(text: str) -> bool:
    return _mark_runs(_beyond(text)).search(text) is not None


def _break_mark_runs(text: str) -> str:
    """Break long runs of combining marks, which take quadratic time to sort and which nobody writes (UAX #15, D4)."""
    return _mark_runs(_beyond(text)).sub(rf"\g<0>{GRAPHEME_JOINER}", text)


def _beyond(text: str) -> int:
    return LAST_MARK if _ASTRAL.search(text) else 0x10000


@cache
def _mark_runs(beyond: int) -> re.Pattern[str]:
    """Return a pattern of long runs of marks below `beyond`; within the basic plane it is a hundred times faster."""
    marks = (chr(code) for code in range(0x300, beyond))
    combining = "".join(mark for mark in marks if unicodedata.combining(unicodedata.normalize("NFD", mark)[0]))
    return re.compile(f"[{combining}][{combining}]{{{LONGEST_MARK_RUN - 1}}}(?=[{combining}])")


def join_pages(pages: Iterable[str]) -> tuple[str, tuple[int, ...]]:
    """Return the pages as one normalised text and the offset of each; an empty page begins where the next one does."""
    parts, starts = [""], []
    length = empty = 0
    for page in (normalise(page).strip() for page in pages):
        empty += 1
        if page:
            gap = ("\n" if _runs_on(parts[-1], page) else "\n\n") if length else ""
            starts += [length + len(gap)] * empty
            length += len(gap) + len(page)
            parts += [gap, page]
            empty = 0
    return "".join(parts), (*starts, *[length] * empty)


def _runs_on(page: str, following: str) -> bool:
    """Return whether a paragraph continues over the end of the page."""
    last_line = page[page.rfind("\n") + 1 :]
    return bool(following[:1].islower() and (page[-1].isalpha() or page[-1] in ",-") and last_line[0] not in "#|")
