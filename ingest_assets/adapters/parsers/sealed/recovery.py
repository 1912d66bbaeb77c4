"""Recover text that xberg's Markdown lacks on some PDF pages, such as figures and boxes, from pdfium's plain text."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

WORD = re.compile(r"\w+")
DIGITS = re.compile(r"\d+")
FEWEST_LOST_WORDS = 8
"""Fewer lost words on a page are page numbers, footnote marks and the like."""
FURNITURE_PAGES = 3
"""A line on this many pages is a running head or foot, which xberg leaves out on purpose."""

Pair = tuple[str, str]


def recover(marked: Sequence[str], plain: Sequence[str]) -> list[str]:
    """Return each page's Markdown, followed by those lines of its plain text that it lacks."""
    furniture = _furniture(plain)
    return [_recover_page(page, text, furniture) for page, text in zip(marked, plain, strict=True)]


def _recover_page(marked: str, plain: str, furniture: set[str]) -> str:
    known = set(_pairs(_words(marked)))
    lost = [line.strip() for line in plain.splitlines() if _is_lost(line, known) and _key(line) not in furniture]
    if sum(len(_words(line)) for line in lost) < FEWEST_LOST_WORDS:
        return marked
    return "\n\n".join(part for part in (marked, "\n".join(lost)) if part)


def _is_lost(line: str, known: set[Pair]) -> bool:
    """Return whether most pairs of the line's words are missing.

    Words break differently in both texts, and few pairs of words are on a page by chance.
    """
    pairs = _pairs(_words(line))
    return sum(pair not in known for pair in pairs) * 2 > len(pairs)


def _furniture(pages: Iterable[str]) -> set[str]:
    counts = Counter(key for page in pages for key in {_key(line) for line in page.splitlines()})
    return {key for key, count in counts.items() if count >= FURNITURE_PAGES}


def _key(line: str) -> str:
    return DIGITS.sub("0", " ".join(line.split()))


def _words(text: str) -> list[str]:
    return WORD.findall(text.lower())


def _pairs(words: list[str]) -> list[Pair]:
    return list(pairwise(words))
