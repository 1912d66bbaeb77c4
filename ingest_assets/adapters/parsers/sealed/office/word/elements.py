"""The elements of WordprocessingML, and how to make and move them."""

from collections.abc import Iterator
from functools import cache

from lxml import etree

from ingest_assets.adapters.parsers.sealed.office.parts import MOST_DIGITS, Element

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
SPACE = "{http://www.w3.org/XML/1998/namespace}space"
TEXTS = tuple(f"{{{WORD}}}{name}" for name in ("t", "tab", "br", "cr", "p"))


@cache
def w(name: str) -> str:
    return f"{{{WORD}}}{name}"


def child(element: Element | None, *path: str) -> Element | None:
    """Return the first child of each name in turn, or None where there is none."""
    for tag in map(w, path):
        if element is None:
            return None
        element = next((each for each in element if each.tag == tag), None)  # `find` would go on to the second
    return element


def value(element: Element | None, *path: str) -> str | None:
    """Return the value of a property below the element."""
    found = child(element, *path)
    return None if found is None else found.get(w("val"))


def number(element: Element | None, *path: str) -> int | None:
    written = value(element, *path) or ""
    try:
        return int(written) if len(written) <= MOST_DIGITS else None
    except ValueError:
        return None


def is_on(element: Element | None, *path: str) -> bool:
    """Return whether a property that is on or off is there and on."""
    found = child(element, *path)
    return found is not None and found.get(w("val"), "1") not in {"0", "false", "off"}


def text_of(element: Element) -> str:
    """Return the text of an element in one line."""
    letters = (each.text or "" if each.tag == w("t") else " " for each in element.iter(*TEXTS))
    return " ".join("".join(letters).split())


def run(text: str) -> Element:
    made = etree.Element(w("r"))
    letters = etree.SubElement(made, w("t"))
    letters.text = text
    letters.set(SPACE, "preserve")
    return made


def paragraph(text: str) -> Element:
    made = etree.Element(w("p"))
    made.append(run(text))
    return made


def insert_at_start(target: Element, *made: Element) -> None:
    """Insert runs before the first of a paragraph."""
    properties = child(target, "pPr")
    for each in reversed(made):
        if properties is None:
            target.insert(0, each)
        else:
            properties.addnext(each)


def remove(element: Element) -> None:
    """Remove an element, but not the text that follows it."""
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def unwrap(element: Element) -> None:
    """Put an element's children in its place."""
    if element.getparent() is not None:
        for each in list(element):
            element.addprevious(each)
        remove(element)


def paragraphs(root: Element) -> Iterator[Element]:
    """Yield all paragraphs, those in tables and boxes too, in the order of the document."""
    yield from root.iter(w("p"))
