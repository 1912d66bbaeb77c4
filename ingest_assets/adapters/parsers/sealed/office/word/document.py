"""A Word document, rewritten as it is shown."""

from collections import Counter

from ingest_assets.adapters.parsers.sealed.office.parts import Element, Parts, UnreadableError, written
from ingest_assets.adapters.parsers.sealed.office.word.boxes import write_boxes
from ingest_assets.adapters.parsers.sealed.office.word.changes import accept_changes, choose_alternatives
from ingest_assets.adapters.parsers.sealed.office.word.drawings import write_drawings
from ingest_assets.adapters.parsers.sealed.office.word.margins import referred, write_margins
from ingest_assets.adapters.parsers.sealed.office.word.notes import read_notes, write_notes
from ingest_assets.adapters.parsers.sealed.office.word.numbers import WordLists, without_lists, write_numbers
from ingest_assets.adapters.parsers.sealed.office.word.unread import count_unread
from ingest_assets.domain.documents.warnings import WarningKind

READ = (".xml", ".rels")
"""The ends of the names of parts that hold text."""
NOTES = ("footnotes", "endnotes", "comments")


def as_shown(content: bytes, warnings: Counter[WarningKind]) -> bytes:
    """Return the package of a document whose text says what the original shows, and count what it lacks.

    One that is damaged is returned as it is; xberg may still make something of it.
    """
    try:
        return _as_shown(Parts(content), warnings)
    except UnreadableError:
        return content


def _as_shown(parts: Parts, warnings: Counter[WarningKind]) -> bytes:
    main = parts.main_part()
    root = _settled(parts.tree(main))
    if root is None:
        raise UnreadableError
    related = parts.relationships(main)
    by_kind = {each.kind: each.target for each in related.values() if not each.is_external}

    def part(kind: str) -> Element | None:
        return _settled(parts.tree(by_kind[kind])) if kind in by_kind else None

    def margins(name: str) -> list[Element]:
        targets = dict.fromkeys(related[each].target for each in referred(root, name) if each in related)
        return [tree for tree in map(_settled, map(parts.tree, targets)) if tree is not None]

    write_drawings(root, parts, related)
    count_unread(root, related.values(), warnings)
    styles = part("styles")
    write_numbers(root, WordLists(part("numbering"), styles))
    write_notes(root, *(read_notes(part(kind)) for kind in NOTES))
    write_margins(root, margins("headerReference"), margins("footerReference"))
    write_boxes(root)
    unread: dict[str, bytes | None] = {name: None for name in parts.names if not name.endswith(READ)}
    notes: dict[str, bytes | None] = {by_kind[kind]: None for kind in NOTES if kind in by_kind}
    plain = {} if styles is None else {by_kind["styles"]: written(without_lists(styles))}
    return parts.rewritten({**unread, **notes, **plain, main: written(root)})


def _settled(root: Element | None) -> Element | None:
    """Return the part with one form of everything, and all changes accepted."""
    if root is not None:
        choose_alternatives(root)
        accept_changes(root)
    return root
