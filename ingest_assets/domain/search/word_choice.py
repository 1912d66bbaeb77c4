"""Choose the words of a query that select chunks for ranking: as many of the rarest as find few enough chunks.

Ranking reads each chunk's words, which takes some microseconds; one common word alone could select half of a large
user's chunks. What the rarest words find is also what the query means (docs/decisions/0004).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

RANKED_ROWS = 1000
"""About how many chunks are ranked; a sample may mislead, so the limit is twice as many."""


@dataclass(frozen=True, slots=True)
class Word:
    lexeme: str
    common: bool
    """Whether most insurance documents have the word; it then counts only if a query has no others."""
    frequency: float
    """About the share of the user's chunks that have the word."""


@dataclass(frozen=True, slots=True)
class WordChoice:
    """A chunk is ranked if it has any of the rare words or all of the frequent ones."""

    rare: tuple[str, ...]
    frequent: tuple[str, ...]
    ranked: tuple[str, ...]
    """The words that rank the chunks; each counts the same."""


def frequency(found: int, sampled: int) -> float:
    """Return the share of chunks with a word that `found` of a sample have.

    A word that none of the sample has is rare, not absent.
    """
    return (found + 0.5) / (sampled + 1) if sampled else 0.0


def choose_words(words: Sequence[Word], rows: int) -> WordChoice:
    """Choose words for a user with about `rows` chunks; an empty query chooses none."""
    counted = [word for word in words if not word.common] or words
    rarest_first = sorted(counted, key=lambda word: (word.frequency, word.lexeme))
    found = accumulate(word.frequency * rows for word in rarest_first)
    few = sum(min(so_far, rows) <= RANKED_ROWS for so_far in found)
    lexemes = tuple(word.lexeme for word in rarest_first)
    return WordChoice(lexemes[:few], _together(rarest_first[few:], rows, any_rare=few > 0), lexemes)


def _together(rarest_first: Sequence[Word], rows: int, *, any_rare: bool) -> tuple[str, ...]:
    """Return enough words that few enough chunks have all of them, assuming that words meet by chance.

    If even all of them find too many, return none: chunks with a rare word would drown. Without rare words there is no
    choice.
    """
    chosen: list[str] = []
    found = float(rows)
    for word in rarest_first:
        if found <= RANKED_ROWS:
            break
        chosen.append(word.lexeme)
        found *= word.frequency
    return () if any_rare and found > RANKED_ROWS else tuple(chosen)
