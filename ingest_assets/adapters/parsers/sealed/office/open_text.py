"""Texts of OpenDocument as they are shown: numbers of clauses, notes, comments, heads and feet written out."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from lxml import etree

from ingest_assets.adapters.parsers.sealed.office.paragraphs import write_spaces
from ingest_assets.adapters.parsers.sealed.office.parts import Element, Parts, UnreadableError, natural, written
from ingest_assets.domain.documents.warnings import WarningKind
from ingest_assets.domain.text.numbering import BULLET, Level, Numbering

NAMES = "urn:oasis:names:tc:opendocument:xmlns:"
OFFICE, TEXT, STYLE, DRAW = (f"{{{NAMES}{name}:1.0}}" for name in ("office", "text", "style", "drawing"))
LIST_FORMAT = "{urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0}num-list-format"
CREATOR = "{http://purl.org/dc/elements/1.1/}creator"
PARAGRAPHS = (f"{TEXT}p", f"{TEXT}h")
FORMATS = {"1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
LISTED_LEVEL = re.compile(r"%([1-9])%")
OUTLINE = "outline"
MOST_LEVELS = 10
ADDED = "added"
"""Marks paragraphs that are made here; several stand behind one another."""

Lists = Mapping[str | None, dict[int, Level]]


def as_shown(content: bytes, warnings: Counter[WarningKind]) -> bytes:
    """Return the package of a text that says what the original shows, and count the objects that it holds.

    One that is damaged is returned as it is; xberg may still make something of it.
    """
    try:
        parts = Parts(content)
        root, styles = parts.tree("content.xml"), parts.tree("styles.xml")
        body = None if root is None else root.find(f"{OFFICE}body/{OFFICE}text")
        if body is None:
            return content
        write_spaces(root)
        write_spaces(styles)
        objects = sum(1 for _ in body.iter(f"{DRAW}object", f"{DRAW}object-ole"))
        _rewrite(body, _lists(root, styles))
        _write_margins(body, styles)
        rewritten = parts.rewritten({"content.xml": written(root)})
    except UnreadableError:
        return content
    warnings[WarningKind.EMBEDDED_OBJECTS] += objects
    return rewritten


def _rewrite(body: Element, lists: Lists) -> None:
    for changes in body.findall(f"{TEXT}tracked-changes"):
        body.remove(changes)
    _write_notes(body)
    numbering = Numbering()
    for element in list(body.iter(f"{TEXT}list", f"{TEXT}h")):
        if element.tag == f"{TEXT}h":
            _number_heading(element, lists, numbering)
        elif element.getparent() is not None and next(element.iterancestors(f"{TEXT}list"), None) is None:
            _number_list(element, lists, numbering)


def _lists(*roots: Element | None) -> Lists:
    """Return the levels of each style of lists, counted from 0."""
    lists: dict[str | None, dict[int, Level]] = {}
    for root in roots:
        for style in [] if root is None else root.iter(f"{TEXT}list-style", f"{TEXT}outline-style"):
            name = OUTLINE if style.tag == f"{TEXT}outline-style" else style.get(f"{STYLE}name")
            lists.setdefault(name, dict(map(_level, style)))
    return lists


def _level(element: Element) -> tuple[int, Level]:
    depth = _whole(element.get(f"{TEXT}level"), 1) - 1
    form = element.get(f"{STYLE}num-format")
    if form is None:
        return depth, Level(format=BULLET)
    if form not in FORMATS:
        return depth, Level(format="none", text="")
    shown = min(_whole(element.get(f"{TEXT}display-levels"), 1), depth + 1, MOST_LEVELS)
    told = element.get(LIST_FORMAT)
    if told:
        text = LISTED_LEVEL.sub(r"%\1", told)
    else:
        numbers = ".".join(f"%{each}" for each in range(depth - shown + 2, depth + 2))
        text = element.get(f"{STYLE}num-prefix", "") + numbers + element.get(f"{STYLE}num-suffix", "")
    return depth, Level(FORMATS[form], text, _whole(element.get(f"{TEXT}start-value"), 1))


def _number_heading(heading: Element, lists: Lists, numbering: Numbering) -> None:
    """Write the number of a heading that is in no list."""
    levels = lists.get(OUTLINE, {})
    depth = _whole(heading.get(f"{TEXT}outline-level"), 1) - 1
    is_listed = next(heading.iterancestors(f"{TEXT}list"), None) is not None
    level = levels.get(depth)
    if is_listed or level is None or level.format == "none" or heading.get(f"{TEXT}is-list-header") == "true":
        return
    _prefix(heading, numbering.next(OUTLINE, levels, depth))


def _number_list(element: Element, lists: Lists, numbering: Numbering) -> None:
    """Put a list's paragraphs, numbered, in its place."""
    name = element.get(f"{TEXT}style-name")
    goes_on = element.get(f"{TEXT}continue-numbering") == "true" or element.get(f"{TEXT}continue-list")
    if not goes_on:
        numbering.forget(name or "")
    for each in list(_flat(element, name, 0, lists, numbering)):
        if each is not element:
            element.addprevious(each)
    if not _is_bulleted(lists, name, 0):
        element.getparent().remove(element)


def _flat(element: Element, name: str | None, depth: int, lists: Lists, numbering: Numbering) -> Iterator[Element]:
    name = element.get(f"{TEXT}style-name") or name
    if _is_bulleted(lists, name, depth):
        element.set(f"{TEXT}style-name", name or "")
        yield element
        return
    levels = lists.get(name, {})
    for item in list(element):
        label = ""
        if item.tag == f"{TEXT}list-item":
            start = item.get(f"{TEXT}start-value")
            label = numbering.next(name or "", levels, depth, _whole(start, 1) if start else None)
        for child in list(item):
            if child.tag == f"{TEXT}list":
                yield from _flat(child, name, depth + 1, lists, numbering)
                continue
            if child.tag in PARAGRAPHS:
                _prefix(child, label)
                label = ""
            yield child


def _is_bulleted(lists: Lists, name: str | None, depth: int) -> bool:
    level = lists.get(name, {}).get(depth)
    return level is None or level.is_bullet


def _write_notes(body: Element) -> None:
    counts: Counter[str] = Counter()
    for note in list(body.iter(f"{TEXT}note", f"{OFFICE}annotation")):
        paragraph = next(note.iterancestors(*PARAGRAPHS), None)
        if paragraph is None:
            continue
        said = " ".join(_said(note))
        if note.tag == f"{OFFICE}annotation":
            author = "".join(note.itertext(CREATOR)).strip()
            mark, behind = "", f"Comment by {author or 'an unknown author'}: {said}"
        else:
            kind = "endnote" if note.get(f"{TEXT}note-class") == "endnote" else "footnote"
            counts[kind] += 1
            mark, behind = f"[{kind} {counts[kind]}]", f"{kind.capitalize()} {counts[kind]}: {said}"
        _replace_by_text(note, mark)
        if said:
            _last_added(paragraph).addnext(_paragraph(behind))


def _last_added(paragraph: Element) -> Element:
    following = paragraph.getnext()
    while following is not None and following.get(ADDED):
        paragraph, following = following, following.getnext()
    return paragraph


def _write_margins(body: Element, styles: Element | None) -> None:
    if styles is None:
        return
    for name in ("header", "footer"):
        margins = styles.iter(f"{STYLE}{name}", f"{STYLE}{name}-first", f"{STYLE}{name}-left")
        texts = dict.fromkeys(" ".join(_said(margin)) for margin in margins)
        made = [_paragraph(text) for text in texts if any(map(str.isalpha, text))]
        at = 0 if name == "header" else len(body)
        body[at:at] = made


def _said(element: Element) -> Iterator[str]:
    for paragraph in element.iter(*PARAGRAPHS):
        text = " ".join("".join(paragraph.itertext()).split())
        if text:
            yield text


def _paragraph(text: str) -> Element:
    made = etree.Element(f"{TEXT}p")
    made.text = text
    made.set(ADDED, "true")
    return made


def _prefix(paragraph: Element, label: str) -> None:
    if label.strip() and "".join(paragraph.itertext()).strip():
        paragraph.text = f"{label.strip()} {paragraph.text or ''}"


def _replace_by_text(element: Element, text: str) -> None:
    """Put a text in an element's place, before the text that follows it."""
    parent, before = element.getparent(), element.getprevious()
    text += element.tail or ""
    if before is None:
        parent.text = (parent.text or "") + text
    else:
        before.tail = (before.tail or "") + text
    parent.remove(element)


def _whole(text: str | None, default: int) -> int:
    return natural(text, 6, default)
