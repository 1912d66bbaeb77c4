"""Numbers as spreadsheets show them: 0.075 as "7.5 %", 4711 as "0004711", 46096 as "15.03.2026".

The language is that of Excel's format codes. What a reader's locale decides is shown in one way: dates in ISO's order,
a point before decimals.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from math import inf, isfinite, nextafter

from ingest_assets.domain.text.date_formats import shown_date
from ingest_assets.domain.text.number_codes import GENERAL, Item, Section, literal, sections

LONGEST_CODE = 255
PRECISE = Context(prec=800, rounding=ROUND_HALF_UP)
SIGNIFICANT = 15
LARGEST_WHOLE = 10**15
LONGEST_EXPONENT = 5


@lru_cache(maxsize=1 << 15)
def shown(value: float, code: str, *, since_1904: bool = False) -> str:
    """Return a number as a cell of this format shows it."""
    if code == GENERAL or len(code) > LONGEST_CODE or not isfinite(value):
        return general(value)
    section, is_absolute = _choose(sections(code), value)
    try:
        if section.is_date:
            return shown_date(section.items, value, since_1904=since_1904) or general(value)
        text = _number(section.items, abs(value))
    except ArithmeticError:  # a day that no calendar has, or a format that nobody means
        return general(value)
    has_digits = any(character.isdigit() and character != "0" for character in text)
    return f"-{text}" if value < 0 and not is_absolute and has_digits else text


def general(value: float) -> str:
    """Return a number in as many digits as are certain; never with an exponent where a number may be a key."""
    if abs(value) < LARGEST_WHOLE and value == int(value):
        return str(int(value))
    return f"{value:.{SIGNIFICANT}g}".upper()


def _choose(sections: Sequence[Section], value: float) -> tuple[Section, bool]:
    """Return the section for a value, and whether it shows the value without its sign."""
    if any(section.condition for section in sections):
        at = _place(sections, value)
        section = sections[at]
        return section, value < 0 and (_has_own_sign(section) or not _shows_positive(sections, at))
    if value < 0 and len(sections) > 1:
        return sections[1], True
    if value == 0 and len(sections) > 2:  # noqa: PLR2004  (positive, negative, zero)
        return sections[2], True
    return sections[0], False


def _place(sections: Sequence[Section], value: float) -> int:
    """Return which of the sections with conditions, or of the others, is for a value."""
    holding = (at for at, section in enumerate(sections) if section.holds(value))
    others = (at for at, section in enumerate(sections) if section.condition is None)
    return next(holding, next(others, 0))


def _has_own_sign(section: Section) -> bool:
    return any(item.text.startswith("-") for item in section.items[:1])


def _shows_positive(sections: Sequence[Section], at: int) -> bool:
    """Return whether a section shows any number that is not negative: one that does not has a sign of its own."""
    bounds = [section.condition[1] for section in sections if section.condition]
    near = (number for bound in bounds for number in (nextafter(bound, -inf), bound, nextafter(bound, inf)))
    return any(_place(sections, number) == at for number in (0.0, *near) if number >= 0)


def _number(items: Sequence[Item], value: float) -> str:
    kinds = [item.kind for item in items]
    if "general" in kinds or "digit" not in kinds:
        return "".join(general(value) if item.kind == "general" else literal(item) for item in items).strip()
    scaled = PRECISE.multiply(Decimal(repr(float(value))), Decimal(100) ** kinds.count("percent"))
    if "slash" in kinds:
        return _fraction(items, scaled)
    if "exponent" in kinds:
        return _scientific(items, scaled)
    return _decimal(items, scaled)


def _decimal(items: Sequence[Item], value: Decimal) -> str:
    point = next((at for at, item in enumerate(items) if item.kind == "point"), len(items))
    whole_items, part_items = list(items[:point]), list(items[point + 1 :])
    scale = _take_scale(whole_items) + _take_scale(part_items)
    places = sum(item.kind == "digit" for item in part_items)
    digits = f"{PRECISE.quantize(value / 1000**scale, Decimal(1).scaleb(-places)):f}"
    whole, _, part = digits.partition(".")
    return (_whole(whole_items, whole) + _part(part_items, part)).strip()


def _take_scale(items: list[Item]) -> int:
    """Take the commas behind the last place, each of which stands for a division by a thousand."""
    last = max((at for at, item in enumerate(items) if item.kind == "digit"), default=len(items))
    count = 0
    while last + 1 < len(items) and items[last + 1].kind == "comma":
        del items[last + 1]
        count += 1
    return count


def _whole(items: Sequence[Item], digits: str) -> str:
    """Fill the places before the point from the right; the first takes all digits that are left."""
    rest = "" if not digits.strip("0") else digits
    places = [at for at, item in enumerate(items) if item.kind == "digit"]
    is_grouped = any(item.kind == "comma" and places and places[0] < at < places[-1] for at, item in enumerate(items))
    made: list[str] = []
    count = 0

    def put(digit: str) -> None:
        nonlocal count
        if is_grouped and count and count % 3 == 0:
            made.append(",")
        made.append(digit)
        count += 1

    for at in range(len(items) - 1, -1, -1):
        item = items[at]
        if item.kind != "digit":
            made.append("" if item.kind == "comma" and places and places[0] < at < places[-1] else literal(item))
            continue
        if rest:
            put(rest[-1])
            rest = rest[:-1]
        elif item.text == "0":
            put("0")
        while rest and at == places[0]:
            put(rest[-1])
            rest = rest[:-1]
    text = "".join(reversed(made))
    return text if places else rest + text


def _part(items: Sequence[Item], digits: str) -> str:
    """Fill the places behind the point from the left, without zeros that need not be there."""
    wanted = 0
    for place, item in enumerate([item for item in items if item.kind == "digit"], 1):
        if item.text == "0" or digits[place - 1 : place].strip("0"):
            wanted = place
    made, place = [], 0
    for item in items:
        if item.kind != "digit":
            made.append(literal(item))
            continue
        place += 1
        if place <= wanted:
            made.append(("." if place == 1 else "") + digits[place - 1])
    return "".join(made)


def _scientific(items: Sequence[Item], value: Decimal) -> str:
    at = next(at for at, item in enumerate(items) if item.kind == "exponent")
    places = sum(item.kind == "digit" for item in items[_point(items) : at])
    width = sum(item.kind == "digit" for item in items[at:])
    mantissa, _, exponent = f"{value:.{places}E}".partition("E")
    power = int(exponent)
    sign = "-" if power < 0 else ("+" if items[at].text.endswith("+") else "")
    behind = "".join(literal(item) for item in items[at + 1 :] if item.kind != "digit")
    return f"{mantissa}E{sign}{abs(power):0{min(width, LONGEST_EXPONENT)}}{behind}"


def _fraction(items: Sequence[Item], value: Decimal) -> str:
    slash = next(at for at, item in enumerate(items) if item.kind == "slash")
    behind = "".join(item.text for item in items[slash + 1 :] if item.kind in {"digit", "text"}).strip()
    exact = Fraction(value)
    if behind.isdecimal() and behind.strip("0"):
        below = int(behind)
        above = round(exact * below)
    else:
        nearest = exact.limit_denominator(10 ** min(max(1, len(behind)), 4) - 1)
        above, below = nearest.numerator, nearest.denominator
    whole, above = divmod(above, below)
    parts = [str(whole)] if whole or not above else []
    return " ".join([*parts, f"{above}/{below}"] if above else parts)


def _point(items: Sequence[Item]) -> int:
    return next((at for at, item in enumerate(items) if item.kind == "point"), len(items))
