"""Which of a query's words choose the chunks that are ranked: the rarest, for as few chunks as can be ranked at once.

Ranking reads each chunk's words, a few microseconds apiece; a common word alone would have half of a large user's
chunks ranked. What the rarest words find is also what the query means (docs/decisions/0004).
"""

from collections.abc import Sequence
from dataclasses import dataclass

RANKED_ROWS = 1000
"""About so many chunks are ranked; the statistics may be wrong, so twice as many are at most."""


@dataclass(frozen=True, slots=True)
class Word:
    lexeme: str
    common: bool
    """Whether most insurance documents have it, so that it counts only where a query has no others."""
    frequency: float
    """The share of chunks that have it; 0 where it is too rare to be known."""


@dataclass(frozen=True, slots=True)
class WordChoice:
    ranked: tuple[str, ...]
    """What chunks are ranked by: any of these words."""
    chosen: tuple[str, ...]
    """What a chunk must have to be ranked."""
    together: bool
    """All of the chosen words, not any."""


def choose_words(words: Sequence[Word], rows: int) -> WordChoice:
    """For a user with about `rows` chunks; without words, nothing is chosen."""
    counted = [word for word in words if not word.common] or words
    rarest_first = sorted(counted, key=lambda word: (word.frequency, word.lexeme))
    ranked = tuple(word.lexeme for word in rarest_first)
    if not rarest_first or rarest_first[0].frequency * rows <= RANKED_ROWS:
        return WordChoice(ranked, ranked[: _few_enough(rarest_first, rows)], together=False)
    return WordChoice(ranked, ranked[: _selective_enough(rarest_first, rows)], together=True)


def _few_enough(rarest_first: Sequence[Word], rows: int) -> int:
    """How many words find at most RANKED_ROWS, any of them."""
    found = 0.0
    for position, word in enumerate(rarest_first):
        found += word.frequency * rows
        if found > RANKED_ROWS:
            return position
    return len(rarest_first)


def _selective_enough(rarest_first: Sequence[Word], rows: int) -> int:
    """How many words it takes that so few chunks have all of them, if words come together by chance."""
    found = float(rows)
    for position, word in enumerate(rarest_first):
        if found <= RANKED_ROWS:
            return position
        found *= word.frequency
    return len(rarest_first)
