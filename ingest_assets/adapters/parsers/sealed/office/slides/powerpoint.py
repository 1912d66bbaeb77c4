"""PowerPoint's presentations: xberg reads the slides, and what belongs to them is added."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ingest_assets.adapters.parsers.sealed.office.paragraphs import drawn_paragraphs
from ingest_assets.adapters.parsers.sealed.office.parts import (
    EMBEDDED,
    Element,
    Parts,
    Relationship,
    UnreadableError,
    local_id,
    natural,
    written,
)
from ingest_assets.adapters.parsers.sealed.office.pictures import PAGE_AREA, is_scan
from ingest_assets.adapters.parsers.sealed.xberg_markdown import marked_pages
from ingest_assets.domain.documents.warnings import WarningKind
from ingest_assets.domain.files.file_types import FileType

FURNITURE = {"sldImg", "sldNum", "hdr", "ftr", "dt"}
"""The places of a page of notes that hold none."""
SLIDES = "ppt/slides/"
LONGEST_NAME = 100
UNKNOWN_AUTHOR = "an unknown author"


@dataclass(frozen=True, slots=True)
class Slide:
    name: str
    root: Element
    related: dict[str, Relationship]

    @property
    def is_hidden(self) -> bool:
        return self.root.get("show") in {"0", "false"}

    def targets(self, kind: str) -> Iterator[str]:
        return (each.target for each in self.related.values() if each.kind == kind and not each.is_external)


def slide_texts(content: bytes, warnings: Counter[WarningKind]) -> list[str]:
    """Return the text of each slide; that of a hidden one is empty, so that the others keep their numbers.

    One that is damaged may still be read by xberg.

    Raises:
        RefusedError: encrypted, bomb or corrupt.
    """
    found: Counter[WarningKind] = Counter()
    try:
        parts = Parts(content)
        slides = list(_slides(parts))
        authors = _authors(parts)
        added = ["\n\n".join(_beside(parts, slide, authors)) for slide in slides]
        area = _area(parts)
        ordered = _ordered(parts, slides)
    except UnreadableError:
        return marked_pages(content, FileType.PPTX)
    for slide in slides:
        _count(slide, area, found)
    warnings.update(found)
    pages = marked_pages(ordered, FileType.PPTX)
    pages += [""] * (len(slides) - len(pages))
    return [
        "" if slide.is_hidden else "\n\n".join(filter(None, pair))
        for slide, *pair in zip(slides, pages, added, strict=False)
    ]


def _slides(parts: Parts) -> Iterator[Slide]:
    """Yield the slides in the order in which they are shown."""
    main = parts.main_part()
    related, root = parts.relationships(main), parts.tree(main)
    seen = set()
    for each in [] if root is None else root.iter("{*}sldId"):
        relationship = related.get(local_id(each))
        if relationship is None or relationship.target in seen:
            continue
        seen.add(relationship.target)
        shown = parts.tree(relationship.target)
        if shown is not None:
            yield Slide(relationship.target, shown, parts.relationships(relationship.target))


def _ordered(parts: Parts, slides: list[Slide]) -> bytes:
    """Return the package with its slides named in the order in which they are shown: xberg goes by their names."""
    replaced: dict[str, bytes | None] = {
        name: None for name in parts.names if name.startswith(SLIDES) or not name.endswith((".xml", ".rels"))
    }
    for number, slide in enumerate(slides, 1):
        replaced[f"{SLIDES}slide{number}.xml"] = written(slide.root)
        folder, _, file = slide.name.rpartition("/")
        replaced[f"{SLIDES}_rels/slide{number}.xml.rels"] = parts.read(f"{folder}/_rels/{file}.rels")
    return parts.rewritten(replaced)


def _count(slide: Slide, area: int, warnings: Counter[WarningKind]) -> None:
    if slide.is_hidden:
        warnings[WarningKind.HIDDEN_SLIDES] += 1
        return
    warnings[WarningKind.PICTURES_WITHOUT_TEXT] += sum(is_scan(each, area) for each in slide.root.iter("{*}pic"))
    embedded = (each for each in slide.related.values() if each.kind in EMBEDDED and not each.is_external)
    warnings[WarningKind.EMBEDDED_OBJECTS] += sum(1 for _ in embedded)


def _area(parts: Parts) -> int:
    root = parts.tree(parts.main_part())
    size = None if root is None else root.find("{*}sldSz")
    area = 0 if size is None else natural(size.get("cx")) * natural(size.get("cy"))
    return area or PAGE_AREA


def _beside(parts: Parts, slide: Slide, authors: dict[str, str]) -> Iterator[str]:
    """Yield what belongs to a slide and lies in other parts: drawn lists, notes and comments."""
    for name in slide.targets("diagramData"):
        yield from drawn_paragraphs(parts.tree(name))
    for name in slide.targets("notesSlide"):
        notes = " ".join(_notes(parts.tree(name)))
        if notes:
            yield f"Notes: {notes}"
    for name in slide.targets("comments"):
        root = parts.tree(name)
        for comment in [] if root is None else root.iter("{*}cm"):
            text = " ".join([*_plain(comment), *drawn_paragraphs(comment)])
            if text:
                yield f"Comment by {authors.get(comment.get('authorId', '')) or UNKNOWN_AUTHOR}: {text}"


def _notes(root: Element | None) -> Iterator[str]:
    for shape in [] if root is None else root.iter("{*}sp"):
        place = next(shape.iter("{*}ph"), None)
        if place is None or place.get("type") not in FURNITURE:
            yield from drawn_paragraphs(shape)


def _plain(comment: Element) -> Iterator[str]:
    for each in comment.iter("{*}text"):
        if (each.text or "").strip():
            yield each.text.strip()


def _authors(parts: Parts) -> dict[str, str]:
    names = {}
    for each in parts.relationships(parts.main_part()).values():
        root = parts.tree(each.target) if each.kind in {"commentAuthors", "authors"} else None
        for author in [] if root is None else root:
            names[author.get("id", "")] = author.get("name", "")[:LONGEST_NAME]
    return names
