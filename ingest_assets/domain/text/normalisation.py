"""Text as the rest of the system relies on it, whatever tool or encoding it came from."""

import codecs
import re
import unicodedata
from collections.abc import Iterable
from functools import cache

BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
LONGEST_MARK_RUN = 30
GRAPHEME_JOINER = "\u034f"
LAST_MARK = 0x1F000

_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\ufeff\ufffe\uffff]")
_LIGATURES = re.compile("[\ufb00-\ufb06]")
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_TERMINAL_SEQUENCES = re.compile(
    "(?:\x1b\\[|\x9b)[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]"  # CSI: colours, cursors, screens
    # OSC, DCS and their like: titles, links, clipboards; to their end, within the line
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
    """NFC, lines ended by \\n alone, no control characters but \\n and \\t, no ligatures, soft hyphens or surrogates.

    Idempotent, linear, and PostgreSQL accepts the result.
    """
    text = _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text))
    if text.isascii():
        return text
    text = _LIGATURES.sub(lambda found: unicodedata.normalize("NFKC", found[0]), _SURROGATES.sub("\ufffd", text))
    # Twice, because composing moves marks about.
    return _break_mark_runs(unicodedata.normalize("NFC", _break_mark_runs(text)))


def printable(text: str) -> str:
    """For a terminal: without control sequences, control characters but \\n and \\t, bidirectional controls, invisible
    tags and surrogates. Idempotent, linear.
    """
    text = _LINE_SEPARATORS.sub(" ", _SURROGATES.sub("\ufffd", text))
    return _UNPRINTABLE.sub("", _TERMINAL_SEQUENCES.sub("", text))


def decode(content: bytes) -> str | None:
    """The bytes as text: by byte order mark, as UTF-8, as UTF-16 without a mark, as Windows-1252; None where binary."""
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return _decoded(content[len(mark) :], encoding)
    if b"\x00" in content:
        unmarked = _unmarked_utf16(content)
        return _decoded(content, unmarked) if unmarked else None
    text = _decoded(content, "utf-8")
    if text is not None or _BINARY.search(content) or _UNDEFINED_IN_CP1252.search(content):
        return text
    return content.decode("cp1252")


def has_words(text: str) -> bool:
    return _LETTER_OR_DIGIT.search(text) is not None


def _decoded(content: bytes, encoding: str) -> str | None:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text


def _unmarked_utf16(content: bytes) -> str | None:
    """Western text in UTF-16 has a zero in nearly every second byte, and in no other."""
    even, odd = content[0::2].count(0), content[1::2].count(0)
    if min(even, odd) > 0 or max(even, odd) * 4 < len(content):
        return None
    return "utf-16-be" if even else "utf-16-le"


def _break_mark_runs(text: str) -> str:
    """Sorting a run of combining marks takes quadratic time: none may be longer than people write (UAX #15, D4)."""
    beyond = LAST_MARK if _ASTRAL.search(text) else 0x10000
    return _mark_runs(beyond).sub(rf"\g<0>{GRAPHEME_JOINER}", text)


@cache
def _mark_runs(beyond: int) -> re.Pattern[str]:
    """Of the marks below `beyond`: a set within the basic plane is searched a hundred times as fast as any other."""
    marks = (chr(code) for code in range(0x300, beyond))
    combining = "".join(mark for mark in marks if unicodedata.combining(unicodedata.normalize("NFD", mark)[0]))
    return re.compile(f"[{combining}][{combining}]{{{LONGEST_MARK_RUN - 1}}}(?=[{combining}])")


def join_pages(pages: Iterable[str]) -> tuple[str, tuple[int, ...]]:
    """The pages as one normal text, and where in it each begins; an empty page begins where the next one does."""
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
    """Whether a paragraph goes on over the page's end."""
    last_line = page[page.rfind("\n") + 1 :]
    return bool(following[:1].islower() and (page[-1].isalpha() or page[-1] in ",-") and last_line[0] not in "#|")
