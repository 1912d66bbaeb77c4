"""Footnotes, endnotes and comments, written out behind the paragraph that they belong to."""

from collections.abc import Iterator
from dataclasses import dataclass

from ingest_assets.adapters.parsers.sealed.office.parts import Element
from ingest_assets.adapters.parsers.sealed.office.word.elements import paragraph, paragraphs, remove, run, text_of, w

FOOTNOTE, ENDNOTE, COMMENT = w("footnoteReference"), w("endnoteReference"), w("commentReference")
UNKNOWN_AUTHOR = "an unknown author"


@dataclass(frozen=True, slots=True)
class Note:
    text: str
    author: str = ""


Notes = dict[str | None, Note]


def read_notes(root: Element | None) -> Notes:
    """Return the notes or comments of a part by their ids."""
    elements = [] if root is None else list(root)
    return {each.get(w("id")): Note(text_of(each), each.get(w("author"), "")) for each in elements}


def write_notes(root: Element, footnotes: Notes, endnotes: Notes, comments: Notes) -> None:
    """Replace each reference by a mark, and write what it refers to, once, behind its paragraph."""
    kinds = {FOOTNOTE: ("Footnote", footnotes, 0), ENDNOTE: ("Endnote", endnotes, 0)}
    for each in list(paragraphs(root)):
        behind = []
        for reference in _references(each):
            if reference.tag == COMMENT:
                comment = comments.pop(reference.get(w("id")), None)
                if comment and comment.text:
                    behind.append(f"Comment by {comment.author or UNKNOWN_AUTHOR}: {comment.text}")
                remove(reference)
                continue
            name, notes, count = kinds[reference.tag]
            kinds[reference.tag] = (name, notes, count + 1)
            note = notes.pop(reference.get(w("id")), None)
            if note and note.text:
                behind.append(f"{name} {count + 1}: {note.text}")
            reference.getparent().replace(reference, run(f"[{name.lower()} {count + 1}]")[0])
        for text in reversed(behind):
            each.addnext(paragraph(text))


def _references(within: Element) -> Iterator[Element]:
    """Return the references of a paragraph, without those of paragraphs in its boxes."""
    for reference in list(within.iter(FOOTNOTE, ENDNOTE, COMMENT)):
        if next(reference.iterancestors(w("p"))) is within:
            yield reference
