"""Which of a query's words choose the chunks that are ranked: as many of the rarest as find few enough.

Ranking reads each chunk's words, some microseconds apiece; one common word alone would have half of a large user's
chunks ranked. What the rarest words find is also what the query means (docs/decisions/0004).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

RANKED_ROWS = 1000
"""About so many chunks are ranked; a sample may mislead, so twice as many are at most."""


@dataclass(frozen=True, slots=True)
class Word:
    lexeme: str
    common: bool
    """Whether most insurance documents have it, so that it counts only where a query has no others."""
    frequency: float
    """About the share of the user's chunks that have it."""


@dataclass(frozen=True, slots=True)
class WordChoice:
    """A chunk is ranked if it has any of the rare words or all of the frequent ones."""

    rare: tuple[str, ...]
    frequent: tuple[str, ...]
    ranked: tuple[str, ...]
    """By which chunks are ranked: any of these, each counts the same."""


def frequency(found: int, sampled: int) -> float:
    """The share of chunks with a word that `found` of a sample have: what none has is rare, but not absent."""
    return (found + 0.5) / (sampled + 1) if sampled else 0.0


def choose_words(words: Sequence[Word], rows: int) -> WordChoice:
    """For a user with about `rows` chunks; without words, nothing is chosen."""
    counted = [word for word in words if not word.common] or words
    rarest_first = sorted(counted, key=lambda word: (word.frequency, word.lexeme))
    found = accumulate(word.frequency * rows for word in rarest_first)
    few = sum(min(so_far, rows) <= RANKED_ROWS for so_far in found)
    lexemes = tuple(word.lexeme for word in rarest_first)
    return WordChoice(lexemes[:few], _together(rarest_first[few:], rows, any_rare=few > 0), lexemes)


def _together(rarest_first: Sequence[Word], rows: int, *, any_rare: bool) -> tuple[str, ...]:
    """As many as it takes that few enough chunks have all of them, if words come together by chance.

    Where all find too many, none is chosen: what has a rare word would drown. Without rare words there is no choice.
    """
    chosen: list[str] = []
    found = float(rows)
    for word in rarest_first:
        if found <= RANKED_ROWS:
            break
        chosen.append(word.lexeme)
        found *= word.frequency
    return () if any_rare and found > RANKED_ROWS else tuple(chosen)
