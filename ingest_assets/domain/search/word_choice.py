"""The choice of the words that select which chunks are ranked: as many of the rarest as find few enough.

Ranking reads each chunk's words, about a microsecond each; one common word alone would have half of a large user's
chunks ranked. What the rarest words find is also what the query means (docs/decisions/0004).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

RANKED_ROWS = 1000
"""About how many chunks are ranked; a sample may mislead, so twice as many are ranked at most."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a query."""

    lexeme: str
    common: bool
    """True for words that most insurance documents have: they count only in queries without other words."""
    frequency: float
    """The approximate share of the user's chunks that have it."""


@dataclass(frozen=True, slots=True)
class WordChoice:
    """The words of a query by what they are used for: a chunk with any rare word or all frequent ones is ranked."""

    rare: tuple[str, ...]
    frequent: tuple[str, ...]
    ranked: tuple[str, ...]
    """The words that rank the chunks; each counts the same."""


def frequency(found: int, sampled: int) -> float:
    """Return the likely share of chunks with a word that `found` of `sampled` have; 0 without a sample.

    A word that no sampled chunk has is rare, but not absent.
    """
    return (found + 0.5) / (sampled + 1) if sampled else 0.0


def choose_words(words: Sequence[Word], rows: int) -> WordChoice:
    """Choose among a query's words, for a user with about `rows` chunks; of no words, none is chosen."""
    counted = [word for word in words if not word.common] or words
    rarest_first = sorted(counted, key=lambda word: (word.frequency, word.lexeme))
    found = accumulate(word.frequency * rows for word in rarest_first)
    few = sum(min(so_far, rows) <= RANKED_ROWS for so_far in found)
    lexemes = tuple(word.lexeme for word in rarest_first)
    return WordChoice(lexemes[:few], _together(rarest_first[few:], rows, any_rare=few > 0), lexemes)


def _together(rarest_first: Sequence[Word], rows: int, *, any_rare: bool) -> tuple[str, ...]:
    """Return as many words as it takes for few enough chunks to have all of them, if words occur independently.

    If even all of them find too many, none is returned, because chunks with a rare word would drown, unless there is
    no rare word.
    """
    chosen: list[str] = []
    found = float(rows)
    for word in rarest_first:
        if found <= RANKED_ROWS:
            break
        chosen.append(word.lexeme)
        found *= word.frequency
    return () if any_rare and found > RANKED_ROWS else tuple(chosen)
