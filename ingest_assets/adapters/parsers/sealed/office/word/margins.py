"""Heads and feet of pages, written out once before and behind the text: policy numbers are often only there."""

import re
from collections.abc import Iterator
from copy import deepcopy

from ingest_assets.adapters.parsers.sealed.office.parts import Element
from ingest_assets.adapters.parsers.sealed.office.word.elements import child, text_of, unwrap, w

RELATED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
PAGE_NUMBER = re.compile(r"\W*(?:page|seite|blatt|s\.|p\.)?\W*\d*(?:\W*(?:of|von|/)\W*\d+)?\W*", re.IGNORECASE)
LONGEST_PAGE_NUMBER = 30
FIELDS = (w("instrText"), w("fldSimple"))
BLOCKS = {w("p"), w("tbl"), w("sdt")}


def referred(root: Element, name: str) -> list[str]:
    """Return the ids of the heads or feet that sections refer to, each once, in order."""
    found = (each.get(f"{RELATED}id") for each in root.iter(w(name)))
    return [each for each in dict.fromkeys(found) if each]


def write_margins(root: Element, heads: list[Element], feet: list[Element]) -> None:
    body = child(root, "body")
    if body is None:
        return
    body[:0] = list(_blocks(heads))
    end = next((at for at, each in enumerate(body) if each.tag == w("sectPr")), len(body))
    body[end:end] = list(_blocks(feet))


def _blocks(margins: list[Element]) -> Iterator[Element]:
    """Yield copies of the blocks with text, each text once: sections repeat them."""
    seen = {""}
    for margin in margins:
        for block in margin:
            text = text_of(block)
            if block.tag in BLOCKS and text not in seen and not _is_page_number(block, text):
                seen.add(text)
                yield _without_relations(deepcopy(block))


def _is_page_number(block: Element, text: str) -> bool:
    is_number = len(text) <= LONGEST_PAGE_NUMBER and PAGE_NUMBER.fullmatch(text) is not None
    return is_number and next(block.iter(*FIELDS), None) is not None


def _without_relations(block: Element) -> Element:
    """Return the block without what its ids lead to: elsewhere they would lead to something else."""
    for link in list(block.iter(w("hyperlink"))):
        unwrap(link)
    for element in block.iter():
        for name in [name for name in element.attrib if name.startswith(RELATED)]:
            del element.attrib[name]
    return block
