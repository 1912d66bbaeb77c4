"""Automatic numbers as word processors show them: "2.2", "(b)", "Section IV"."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from string import ascii_lowercase

PLACEHOLDER = re.compile(r"%([1-9])")
ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl")),
    *((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)
LARGEST_ROMAN = 3999
MOST_LETTERS = 30
CHICAGO = "*†‡§"
ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
IRREGULAR = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
LARGEST_NAMED = 99
BULLET = "bullet"
LONGEST_TEXT = 100
"""Of what is shown beside the numbers; every paragraph of the list repeats it."""


@dataclass(frozen=True, slots=True)
class Level:
    """How a level of a list is numbered."""

    format: str = "decimal"
    """The name of the format in Office Open XML."""
    text: str = "%1."
    """What is shown; %1 stands for the number of the first level."""
    start: int = 1
    restart_after: int | None = None
    """It begins anew after a paragraph of the n-th level or above, counted from 1; after 0 never, after None any."""
    width: int = 0
    """The least number of digits."""
    is_legal: bool = False
    """Whether all levels are shown as decimal numbers."""

    @property
    def is_bullet(self) -> bool:
        return self.format == BULLET


class Numbering:
    """The numbers of a document's lists, as far as it has been read."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[int, int]] = {}

    def next(self, name: str, levels: Mapping[int, Level], at: int, restart: int | None = None) -> str:
        """Count a paragraph, and return what is shown before it.

        Args:
            name: The list that it belongs to.
            levels: The list's levels by depth, from 0.
            at: The depth of the paragraph.
            restart: The number that it has whatever came before.
        """
        counts = self._counts.setdefault(name, {})
        level = levels.get(at, Level())
        counts[at] = restart if restart is not None else counts.get(at, level.start - 1) + 1
        for deeper in [each for each in counts if each > at]:
            after = levels.get(deeper, Level()).restart_after
            if after is None or at < after:
                del counts[deeper]
        return _shown(levels, level, counts)

    def forget(self, name: str) -> None:
        """Begin a list anew."""
        self._counts.pop(name, None)


def _shown(levels: Mapping[int, Level], level: Level, counts: Mapping[int, int]) -> str:
    def number(found: re.Match[str]) -> str:
        depth = int(found[1]) - 1
        shown = levels.get(depth, Level())
        kind = "decimal" if level.is_legal else shown.format
        return formatted(counts.get(depth, shown.start), kind).zfill(shown.width)

    return PLACEHOLDER.sub(number, level.text[:LONGEST_TEXT])


def formatted(number: int, kind: str) -> str:
    """Return the number in a format of Office Open XML; in one that is not known here, as a decimal number."""
    form = FORMATS.get(kind)
    return form(number) if form else str(number)


def _roman(number: int) -> str:
    if not 0 < number <= LARGEST_ROMAN:
        return str(number)
    letters = []
    for value, sign in ROMAN:
        letters.append(sign * (number // value))
        number %= value
    return "".join(letters)


def _letters(number: int) -> str:
    """Return a to z, then aa to zz, and so on."""
    times, place = divmod(number - 1, len(ascii_lowercase))
    return ascii_lowercase[place] * (times + 1) if 0 <= times < MOST_LETTERS else str(number)


def _ordinal(number: int) -> str:
    teens = number % 100 in {11, 12, 13}
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _named(number: int) -> str:
    if not 0 <= number <= LARGEST_NAMED:
        return str(number)
    if number < len(ONES):
        return ONES[number]
    tens, ones = divmod(number, 10)
    return TENS[tens] + (f"-{ONES[ones]}" if ones else "")


def _named_ordinal(number: int) -> str:
    name = _named(number)
    if name.isdecimal():
        return _ordinal(number)
    head, hyphen, last = name.rpartition("-")
    if last.endswith("y"):
        return f"{head}{hyphen}{last[:-1]}ieth"
    return head + hyphen + IRREGULAR.get(last, f"{last}th")


def _chicago(number: int) -> str:
    times, place = divmod(number - 1, len(CHICAGO))
    return CHICAGO[place] * (times + 1) if 0 <= times < MOST_LETTERS else str(number)


FORMATS: Mapping[str, Callable[[int], str]] = {
    "decimalZero": "{:02}".format,
    "lowerRoman": _roman,
    "upperRoman": lambda number: _roman(number).upper(),
    "lowerLetter": _letters,
    "upperLetter": lambda number: _letters(number).upper(),
    "ordinal": _ordinal,
    "cardinalText": lambda number: _named(number).capitalize(),
    "ordinalText": lambda number: _named_ordinal(number).capitalize(),
    "decimalEnclosedParen": "({})".format,
    "numberInDash": "- {} -".format,
    "hex": "{:X}".format,
    "chicago": _chicago,
    "none": lambda _: "",
}
