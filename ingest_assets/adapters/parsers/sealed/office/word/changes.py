"""Tracked changes: the document as it is once all of them are accepted."""

from ingest_assets.adapters.parsers.sealed.office.parts import Element
from ingest_assets.adapters.parsers.sealed.office.word.elements import (
    child,
    insert_at_start,
    paragraphs,
    remove,
    unwrap,
    w,
)

GONE = ("del", "moveFrom")
CAME = ("ins", "moveTo")
ALTERNATIVES = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"


def accept_changes(root: Element) -> None:
    """Take out what was deleted or moved away, and keep what was inserted or moved here."""
    for row in list(root.iter(w("tr"))):
        if child(row, "trPr", "del") is not None:
            remove(row)
    for cell in list(root.iter(w("tc"))):
        if child(cell, "tcPr", "cellDel") is not None:
            remove(cell)
    for paragraph in reversed(list(paragraphs(root))):  # so that what is moved is moved once
        if any(child(paragraph, "pPr", "rPr", name) is not None for name in GONE):
            _join_with_next(paragraph)
    for element in list(root.iter(*map(w, GONE))):
        remove(element)
    for element in list(root.iter(*map(w, CAME))):
        if len(element):
            unwrap(element)


def choose_alternatives(root: Element) -> None:
    """Keep one of the forms in which something is written for older and newer programs."""
    for element in list(root.iter(f"{ALTERNATIVES}AlternateContent")):
        forms = [*element.iter(f"{ALTERNATIVES}Choice"), *element.iter(f"{ALTERNATIVES}Fallback")]
        kept = next((form for form in forms if form.find(f".//{w('t')}") is not None), forms[0] if forms else None)
        element[:] = [] if kept is None else list(kept)
        unwrap(element)


def _join_with_next(paragraph: Element) -> None:
    """Move what is left of a paragraph, whose end was deleted, to the beginning of the next."""
    following = paragraph.getnext()
    if following is None or following.tag != w("p"):
        return
    insert_at_start(following, *[each for each in paragraph if each.tag != w("pPr")])
    remove(paragraph)
