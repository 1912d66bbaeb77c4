"""Put words together again that the end of a line has parted, unless the document shows that the hyphen is theirs."""

import re
from collections.abc import Iterable, Sequence

_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010\u2011][^\W\d_]+)*")
_PARTED = re.compile(r"(?<![^\W\d_])([^\W\d_]{1,80})[-\u2010](?: {0,3}\n)? {0,3}(?<=\s)([^\W\d_]+)")
_SOFT = re.compile("\u00ad\\s+(?=[^\\W\\d_])")
_LAST_PART = re.compile(r"([^\W\d_]+)[-\u2010]\s*$")
_FIRST_PART = re.compile(r"\s*([^\W\d_]+)[^\s\w]*\s*")
_LONGEST_WORD = 80

CONJUNCTIONS = frozenset(
    {"and", "or", "to", "nor", "und", "oder", "bis", "sowie", "beziehungsweise", "bzw", "et", "ou", "y", "o"}
)
"""After them, a hyphen stands for the rest of a word: "pre- and post-loss"."""
COMPOUNDING = frozenset(
    {"non", "self", "ex", "well", "quasi", "half", "all", "cross", "third", "long", "short", "high", "low"}
)
"""What is mostly written with a hyphen before another word."""
SHORTEST_OF_TWO_WORDS = 4
"""Shorter words are too often syllables, such as "in" and "there"."""


class Hyphenation:
    """What a document's words say about the hyphens at the ends of its lines."""

    def __init__(self, pages: Iterable[str]) -> None:
        self._known: set[str] = set()
        goes_on = False
        for page in pages:
            whole = _FIRST_PART.sub("", page, count=1) if goes_on else page
            goes_on = _LAST_PART.search(page[-_LONGEST_WORD:]) is not None
            if goes_on:
                whole = whole[: whole.rstrip().rfind(" ") + 1]
            self._known.update(_plain(found[0]) for found in _WORD.finditer(_PARTED.sub(" ", whole)))

    def mend(self, text: str) -> str:
        """Return the text with parted words together; it takes linear time."""
        return _PARTED.sub(self._mended, _SOFT.sub("", text))

    def mend_page_ends(self, pages: Sequence[str]) -> list[str]:
        """Return the pages; a word that goes on on the next page stands whole on its first."""
        mended = list(pages)
        for number in range(len(mended) - 1):
            ends, goes_on = _LAST_PART.search(mended[number][-_LONGEST_WORD:]), _FIRST_PART.match(mended[number + 1])
            if ends is None or goes_on is None or not goes_on[1].islower() or goes_on[1] in CONJUNCTIONS:
                continue
            end = mended[number].rstrip()
            kept = end if self._is_compound(ends[1], goes_on[1]) else end[:-1]
            mended[number] = kept + goes_on[0].strip()
            mended[number + 1] = mended[number + 1][goes_on.end() :]
        return mended

    def _mended(self, found: re.Match[str]) -> str:
        first, second = found[1], found[2]
        if second.lower() in CONJUNCTIONS:
            return found[0]
        return f"{first}-{second}" if self._is_compound(first, second) else first + second

    def _is_compound(self, first: str, second: str) -> bool:
        first, second = first.lower(), second.lower() if second.islower() else second
        if first + second.lower() in self._known:
            return False
        if f"{first}-{second.lower()}" in self._known or not second.islower() or first in COMPOUNDING:
            return True
        are_words = {first, second} <= self._known
        return are_words and min(len(first), len(second)) >= SHORTEST_OF_TWO_WORDS


def _plain(word: str) -> str:
    return word.lower().replace("\u2010", "-").replace("\u2011", "-")
