"""Boxes to be ticked, and other signs that are no letters to a program."""

from ingest_assets.adapters.parsers.sealed.office.parts import Element
from ingest_assets.adapters.parsers.sealed.office.word.elements import child, is_on, number, run, w

TICKED, UNTICKED = "\u2612", "\u2610"
SIGNS = {
    "wingdings": {0xFE: TICKED, 0xFD: TICKED, 0xA8: UNTICKED, 0x6F: UNTICKED, 0xFC: "\u2713", 0xFB: "\u2717"},
    "symbol": {0xB0: "°", 0xB1: "±", 0xA3: "≤", 0xB3: "≥", 0xA0: "€", 0xB4: "x"},
}
PRIVATE_AREA = 0xF000


def write_boxes(root: Element) -> None:
    """Write ticked boxes and chosen entries of forms, and signs of symbol fonts as characters."""
    for field in list(root.iter(w("checkBox"))):
        state = field if child(field, "checked") is None else child(field, "checked")
        is_ticked = is_on(field, "checked") if state is not field else is_on(field, "default")
        begin = next(field.iterancestors(w("r")), None)
        if begin is not None:
            begin.addprevious(run(TICKED if is_ticked else UNTICKED))
    for choice in list(root.iter(w("ddList"))):
        entries = [each.get(w("val"), "") for each in choice if each.tag == w("listEntry")]
        chosen = number(choice, "result") or number(choice, "default") or 0
        begin = next(choice.iterancestors(w("r")), None)
        if begin is not None and 0 <= chosen < len(entries):
            begin.addprevious(run(entries[chosen]))
    for sign in list(root.iter(w("sym"))):
        letter = SIGNS.get(sign.get(w("font"), "").lower(), {}).get(_code(sign))
        if letter:
            sign.getparent().replace(sign, run(letter)[0])


def _code(sign: Element) -> int:
    try:
        return int(sign.get(w("char"), ""), 16) & ~PRIVATE_AREA
    except ValueError:
        return 0
