"""The words of a text, and the terms by which each is found."""

import re
import unicodedata

_STOP_WORDS = """
a about above after again against ain all am an and any are aren as at be because been before being below between both
but by can cannot could couldn d did didn do does doesn doing don down during each either else ever few for from
further had hadn has hasn have haven having he her here hers herself him himself his how however i if in into is isn
it its itself just ll m me might more most must mustn my myself neither nor now o of off on once only or other ought
our ours ourselves out over own per please re s same shall shan she should shouldn so some such t than that the their
theirs them themselves then there these they this those through to too under until up upon us ve very via was wasn we
were weren what whatever when where whether which while who whom whose why will with within won would wouldn y yes yet
you your yours yourself yourselves
"""

_COMMON_WORDS = """
able account additional agreement also amount apply ask available benefit business care case certain charge claim
client company condition contact contract cost cover coverage customer date day document employee employer example
expense follow general get give health help important include information insurance insure insured insurer item keep
know like limit list make many may medical member month need new no not number offer one option order part party pay
payment period person plan policy policyholder premium provide provider purchase receive refer regarding require
requirement right section see service sum sure take tell term time total two type understand use visit want way
without work year
"""

STOP_WORDS = frozenset(_STOP_WORDS.split())
COMMON_WORDS = frozenset(_COMMON_WORDS.split())
"""Words that hardly tell one passage from another; they need a list, because a vector knows no document frequencies."""

_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_LETTERS = rf"[^\W_{_IDEOGRAPHS}]{{1,64}}"
_HYPHEN = "[-\u2010]\n?"
_NUMBER = r"[0-9]{1,64}(?:[.,][0-9]{1,64}){1,8}"
_WORD = re.compile(rf"{_NUMBER}|{_LETTERS}(?:{_HYPHEN}{_LETTERS}){{0,8}}|[{_IDEOGRAPHS}]")
_ASCII_WORD = re.compile(rf"{_NUMBER}|[a-z0-9]{{1,64}}(?:-\n?[a-z0-9]{{1,64}}){{0,8}}")
"""Finds in a folded ASCII text what `_WORD` finds, in half the time."""


def words(text: str) -> list[str]:
    """Return the words, with case and compatibility forms folded.

    Hyphenated words and numbers stay in one piece; each ideograph is a word.
    """
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _WORD.findall(unicodedata.normalize("NFKC", folded))


def terms(word: str) -> list[str]:
    """Return the terms by which a word is found.

    1,000.00 is found by 1000; co-payment by co, payment and copayment; a stop word by nothing.
    """
    if re.fullmatch(_NUMBER, word):
        return [word.replace(",", "").removesuffix(".00")]
    parts = re.split(_HYPHEN, word)
    joined = ["".join(parts)] if len(parts) > 1 else []
    return [part for part in parts + joined if part not in STOP_WORDS]
