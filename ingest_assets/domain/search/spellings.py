"""German words in their other spelling: who has no umlauts on the keyboard writes Mueller and Strasse."""

import re
from collections.abc import Collection

WORD = re.compile(r"[^\W\d_]{3,40}")
LONG = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
SHORT = {"ae": "ä", "oe": "ö", "ue": "ü", "ss": "ß"}
UMLAUT = re.compile("ae|oe|(?<![aeq])ue")
"""Not the letters of Feuer, Bauer and Quelle."""
LONGEST_ENDING = 2
MOST_WORDS = 16
"""Of a query, to which spellings are added."""


def with_spellings(query: str, common: Collection[str] = ()) -> str:
    """Return the query, followed by the other spellings of its words.

    Common words have none: a spelling that nobody uses would be the only word that counts.
    """
    words = dict.fromkeys(word.lower() for word in WORD.findall(query))
    telling = [word for word in words if not any(_is_form_of(word, each) for each in common)][:MOST_WORDS]
    others = dict.fromkeys(other for word in telling for other in _spellings(word) if other not in words)
    return " ".join([query, *others])


def _is_form_of(word: str, common: str) -> bool:
    return word.startswith(common) and len(word) - len(common) <= LONGEST_ENDING


def _spellings(word: str) -> list[str]:
    long = word.translate(LONG)
    short = UMLAUT.sub(lambda found: SHORT[found[0]], long)
    return [each for each in (long, short, short.replace("ss", "ß"), word.replace("ss", "ß")) if each != word]
