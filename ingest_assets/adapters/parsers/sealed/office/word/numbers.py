"""Automatic numbers, written out as text: clauses are cited by them."""

from dataclasses import dataclass, replace

from lxml import etree

from ingest_assets.adapters.parsers.sealed.office.parts import Element, natural
from ingest_assets.adapters.parsers.sealed.office.word.elements import (
    child,
    insert_at_start,
    is_on,
    number,
    paragraphs,
    remove,
    run,
    text_of,
    value,
    w,
)
from ingest_assets.domain.text.numbering import Level, Numbering

MOST_STYLES_IN_A_CHAIN = 20
NO_LIST = "0"
WIDEST = 10


@dataclass(frozen=True, slots=True)
class WordList:
    name: str
    """The abstract list, whose numbers run on through all lists that are made of it."""
    levels: dict[int, Level]
    styles: dict[str, int]
    """The levels that belong to styles of paragraphs."""
    restarts: dict[int, int]


class WordLists:
    """What numbering.xml and styles.xml say about lists."""

    def __init__(self, numbering: Element | None, styles: Element | None) -> None:
        self._styles = {each.get(w("styleId")): each for each in _all(styles, "style")}
        self._default = next((name for name, each in self._styles.items() if _is_default(each)), None)
        self._abstract = {each.get(w("abstractNumId")): each for each in _all(numbering, "abstractNum")}
        self._lists = {each.get(w("numId")): each for each in _all(numbering, "num")}
        self._known: dict[str, WordList | None] = {}
        self._of_style: dict[str | None, tuple[str | None, int | None]] = {}

    def of(self, paragraph: Element) -> tuple[str, WordList, int] | None:
        """Return the list of a paragraph, its name, and its depth in it; None if it is in none."""
        style = value(paragraph, "pPr", "pStyle") or self._default
        styled_name, styled_depth = self._by_style(style)
        name = value(paragraph, "pPr", "numPr", "numId") or styled_name
        if name is None or name == NO_LIST:
            return None
        found = self._list(name)
        if found is None:
            return None
        depth = number(paragraph, "pPr", "numPr", "ilvl")
        if depth is None:
            depth = found.styles.get(style or "", styled_depth or 0)
        return name, found, depth

    def _by_style(self, style: str | None) -> tuple[str | None, int | None]:
        if style not in self._of_style:
            self._of_style[style] = self._up_the_chain(style)
        return self._of_style[style]

    def _up_the_chain(self, style: str | None) -> tuple[str | None, int | None]:
        name = depth = None
        for _ in range(MOST_STYLES_IN_A_CHAIN):
            element = self._styles.get(style)
            if element is None:
                break
            name = name or value(element, "pPr", "numPr", "numId")
            depth = number(element, "pPr", "numPr", "ilvl") if depth is None else depth
            style = value(element, "basedOn")
        return name, depth

    def _list(self, name: str) -> WordList | None:
        if name not in self._known:
            self._known[name] = self._read_list(name)
        return self._known[name]

    def _read_list(self, name: str) -> WordList | None:
        element = self._lists.get(name)
        if element is None:
            return None
        abstract_name = value(element, "abstractNumId")
        abstract = self._abstract.get(abstract_name)
        linked = value(abstract, "numStyleLink")
        if linked:
            other, _ = self._up_the_chain(linked)
            abstract_name = value(self._lists.get(other), "abstractNumId")
            abstract = self._abstract.get(abstract_name)
        if abstract is None:
            return None
        levels: dict[int, Level] = {}
        styles: dict[str, int] = {}
        restarts: dict[int, int] = {}
        for each in abstract.iterfind(w("lvl")):
            _read_level(each, levels, styles)
        for override in element.iterfind(w("lvlOverride")):
            depth, start = _depth(override), number(override, "startOverride")
            replacing = child(override, "lvl")
            if replacing is not None:
                _read_level(replacing, levels, styles)
                start = levels[_depth(replacing)].start if start is None else start
            if start is not None:
                restarts[depth] = start
                levels[depth] = replace(levels.get(depth, Level()), start=start)
        return WordList(abstract_name or name, levels, styles, restarts)


def write_numbers(root: Element, lists: WordLists) -> None:
    """Write each paragraph's number before its text. Only bullets stay in lists, each by a property of its own."""
    numbering = Numbering()
    begun: set[tuple[str, int]] = set()
    for each in list(paragraphs(root)):
        found = lists.of(each)
        _take_out_of_list(each)
        if found is None:
            continue
        name, word_list, depth = found
        level = word_list.levels.get(depth)
        if level is None or level.is_bullet:
            _put_into_list(each, name, depth)
            continue
        is_first = (name, depth) not in begun
        begun.add((name, depth))
        restart = word_list.restarts.get(depth) if is_first else None
        label = numbering.next(word_list.name, word_list.levels, depth, restart).strip()
        if label and text_of(each):
            insert_at_start(each, run(f"{label} "))


def without_lists(styles: Element) -> Element:
    """Return the styles, none of which puts its paragraphs into a list any more."""
    for properties in list(styles.iter(w("numPr"))):
        remove(properties)
    return styles


def _take_out_of_list(paragraph: Element) -> None:
    present = child(paragraph, "pPr", "numPr")
    if present is not None:
        remove(present)


def _put_into_list(paragraph: Element, name: str, depth: int) -> None:
    properties = child(paragraph, "pPr")
    if properties is None:
        properties = etree.Element(w("pPr"))
        paragraph.insert(0, properties)
    place = etree.SubElement(properties, w("numPr"))
    etree.SubElement(place, w("ilvl")).set(w("val"), str(depth))
    etree.SubElement(place, w("numId")).set(w("val"), name)


def _read_level(element: Element, levels: dict[int, Level], styles: dict[str, int]) -> None:
    depth = _depth(element)
    start, text = number(element, "start"), value(element, "lvlText")
    levels[depth] = Level(
        format=value(element, "numFmt") or "decimal",
        text=text or "",
        start=0 if start is None else start,
        restart_after=number(element, "lvlRestart"),
        width=_width(child(element, "numFmt")),
        is_legal=is_on(element, "isLgl"),
    )
    style = value(element, "pStyle")
    if style:
        styles[style] = depth


def _width(form: Element | None) -> int:
    """Return the width of numbers whose format is given by examples, such as "001, 002, 003, ..."."""
    example = "" if form is None else form.get(w("format"), "").partition(",")[0].strip()
    return len(example) if example.isdecimal() and len(example) <= WIDEST else 0


def _depth(element: Element) -> int:
    return natural(element.get(w("ilvl")))


def _is_default(style: Element) -> bool:
    return style.get(w("type")) == "paragraph" and style.get(w("default")) in {"1", "true", "on"}


def _all(root: Element | None, name: str) -> list[Element]:
    return [] if root is None else list(root.iterfind(w(name)))
