"""Paragraphs whose signs for tabs, breaks and spaces are written as spaces, so that words stay apart."""

from collections.abc import Iterator

from lxml import etree

from ingest_assets.adapters.parsers.sealed.office.parts import Element

DRAWN = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
SPACES = tuple(
    f"{{urn:oasis:names:tc:opendocument:xmlns:text:1.0}}{name}"
    for name in ("tab", "line-break", "s", "soft-page-break")
)
"""What parts words in OpenDocument; the last one is only where the paragraph has a space anyway."""


def write_spaces(root: Element | None) -> None:
    """Write what parts words in a part of OpenDocument as a space."""
    if root is None:
        return
    for sign in root.iter(*SPACES[:-1]):
        sign.text, sign.tail = None, f" {sign.tail or ''}"
    etree.strip_tags(root, *SPACES)


def drawn_paragraphs(root: Element | None) -> Iterator[str]:
    """Yield the paragraphs of text boxes and slides of Office that say something."""
    for paragraph in [] if root is None else root.iter(f"{DRAWN}p"):
        pieces = paragraph.iter(f"{DRAWN}t", f"{DRAWN}br", f"{DRAWN}tab")
        text = "".join(each.text or "" if each.tag == f"{DRAWN}t" else " " for each in pieces).strip()
        if text:
            yield text
