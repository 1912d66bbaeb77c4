"""Format codes of spreadsheets, taken apart."""

import re
from dataclasses import dataclass
from functools import lru_cache

GENERAL = "General"
BUILT_IN = {
    0: GENERAL,
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    9: "0%",
    10: "0.00%",
    11: "0.00E+00",
    12: "# ?/?",
    13: "# ??/??",
    14: "yyyy-mm-dd",
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM",
    20: "h:mm",
    21: "h:mm:ss",
    22: "yyyy-mm-dd h:mm",
    37: "#,##0;-#,##0",
    38: "#,##0;-#,##0",
    39: "#,##0.00;-#,##0.00",
    40: "#,##0.00;-#,##0.00",
    41: "#,##0;-#,##0",
    42: "#,##0;-#,##0",
    43: "#,##0.00;-#,##0.00",
    44: "#,##0.00;-#,##0.00",
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mm:ss.0",
    48: "##0.0E+0",
    49: "@",
}
"""The codes that files name by number only; 14 and 22 are the reader's own."""


TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_.|\*.|\[(?P<bracket>[^\]]*)\]?|(?P<general>general)|(?P<noon>AM/PM|A/P)'
    r"|(?P<exponent>E[+-])|(?P<date>y+|m+|d+|h+|s+|e+)|(?P<digit>[0#?])|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?[\d.]+)")
CURRENCY = re.compile(r"\$([^-]*)(?:-(.*))?", re.DOTALL)
ELAPSED = re.compile(r"h+|m+|s+", re.IGNORECASE)
SYSTEM_FORMATS = {"f800": "yyyy-mm-dd", "x-sysdate": "yyyy-mm-dd", "f400": "hh:mm:ss", "x-systime": "hh:mm:ss"}
"""What a section is replaced by that leaves the form of a date or a time to the reader's system."""
COMPARISONS = {
    "<": lambda value, bound: value < bound,
    ">": lambda value, bound: value > bound,
    "<=": lambda value, bound: value <= bound,
    ">=": lambda value, bound: value >= bound,
    "=": lambda value, bound: value == bound,
    "<>": lambda value, bound: value != bound,
}


@dataclass(frozen=True, slots=True)
class Item:
    kind: str
    """text, digit, point, comma, percent, exponent, slash, date, elapsed, noon, general or system."""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    items: tuple[Item, ...]
    condition: tuple[str, float] | None

    @property
    def is_date(self) -> bool:
        return any(item.kind in {"date", "elapsed", "noon"} for item in self.items)

    def holds(self, value: float) -> bool:
        return self.condition is not None and COMPARISONS[self.condition[0]](value, self.condition[1])


@lru_cache(maxsize=1 << 10)
def sections(code: str) -> tuple[Section, ...]:
    sections: list[Section] = []
    items: list[Item] = []
    condition = None
    for found in TOKEN.finditer(code):
        if found["other"] == ";":
            sections.append(Section(_understood(items), condition))
            items, condition = [], None
            continue
        bounded = CONDITION.fullmatch(found["bracket"] or "")
        if bounded:
            condition = _bound(bounded)
        else:
            items += _items(found)
    return (*sections, Section(_understood(items), condition))


def _understood(items: list[Item]) -> tuple[Item, ...]:
    """Return the items of a section, in which each letter is a field of a date or stands for itself."""
    system = next((item.text for item in items if item.kind == "system"), None)
    if system:
        return sections(system)[0].items
    if _has_number(items):
        return tuple(item if _is_of_number(items, at) else Item("text", item.text) for at, item in enumerate(items))
    return tuple(Item("date", item.text.lower()) if item.kind == "date" else item for item in items)


def _has_number(items: list[Item]) -> bool:
    """Return whether a section is that of a number, so that `m` in it belongs to a unit: digits of seconds are none."""
    if any(item.kind == "elapsed" for item in items):
        return False
    before = ""
    for item in items:
        if item.kind == "general" or (item.kind == "digit" and before != "s."):
            return True
        if item.kind != "digit":
            before = f"{before[-1:]}{item.text[-1:].lower()}"
    return False


def _is_of_number(items: list[Item], at: int) -> bool:
    kinds = ["", *(item.kind for item in items), ""]
    before, after = kinds[at], kinds[at + 2]
    match items[at].kind:
        case "date" | "noon":
            return False
        case "exponent":
            return before in {"digit", "point"} and after == "digit"
        case "slash":
            below = items[at + 1].text if after else ""
            return before == "digit" and (after == "digit" or below.isdecimal())
        case "point":
            return "digit" in {before, after}
        case _:
            return True


def _bound(found: re.Match[str]) -> tuple[str, float] | None:
    try:
        return found[1], float(found[2])
    except ValueError:
        return None


def _items(found: re.Match[str]) -> list[Item]:
    """Return what a token stands for."""
    kind, text = found.lastgroup, found[found.lastgroup] if found.lastgroup else ""
    match kind:
        case "quoted" | "escaped":
            return [Item("text", text)]
        case "bracket":
            return _bracketed(text)
        case "general" | "noon" | "exponent" | "digit" | "date":
            return [Item(kind, text)]
        case "other":
            signs = {".": "point", ",": "comma", "%": "percent", "/": "slash", "@": "general"}
            return [Item(signs.get(text, "text"), text)]
        case _:
            return [Item("text", " ")] if found[0].startswith("_") else []


def _bracketed(text: str) -> list[Item]:
    if ELAPSED.fullmatch(text):
        return [Item("elapsed", text.lower())]
    currency = CURRENCY.fullmatch(text)
    if currency is None:
        return []  # a colour
    system = SYSTEM_FORMATS.get((currency[2] or "").lower())
    if system:
        return [Item("system", system)]
    return [Item("text", currency[1])]


def literal(item: Item) -> str:
    """Return a sign as it stands in text; that of per cent stands apart from its number."""
    return " %" if item.kind == "percent" else item.text
