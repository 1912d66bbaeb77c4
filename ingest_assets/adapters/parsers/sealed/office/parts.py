"""The parts of an office package, by name and by relationship."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from posixpath import join, normpath
from typing import Any
from urllib.parse import unquote
from zipfile import ZIP_STORED, ZipFile

from lxml import etree

from ingest_assets.domain.files.containers import UNREADABLE
from ingest_assets.domain.text.normalisation import composed

Element = Any
"""An element of lxml, which has no types."""

EMBEDDED = {"oleObject", "package", "aFChunk"}
"""The kinds of relationship that lead to files within the document."""
STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/(\w+)")
TRANSITIONAL = rb"http://schemas.openxmlformats.org/\1/2006/\2"
"""The names that most files and all readers use, for those of the strict form of the standard."""
RELATIONSHIP = "{*}Relationship"
PARSER_OPTIONS = {"resolve_entities": False, "no_network": True, "load_dtd": False, "remove_comments": True}
PARSER_OPTIONS |= {"remove_pis": True}  # they have no names, which readers ask for
MOST_DIGITS = 9
"""Of numbers in attributes: Python reads no more than 4,300, and floats hold no more than 308."""


class UnreadableError(Exception):
    """The package is not what it should be; another reader may make more of it."""


@dataclass(frozen=True, slots=True)
class Relationship:
    kind: str
    """The last word of its type."""
    target: str
    """The name of the part, or an address if it is outside."""
    is_external: bool


class Parts:
    """A package that is read, and some of whose parts are replaced."""

    def __init__(self, content: bytes) -> None:
        try:
            self._package = ZipFile(BytesIO(content))
        except UNREADABLE:
            raise UnreadableError from None
        self.names = {name.lower(): name for name in self._package.namelist()}

    def read(self, name: str) -> bytes | None:
        """Return the content of a part, or None if there is no such part."""
        stored = self.names.get(name.lower())
        if stored is None:
            return None
        try:
            content = self._package.read(stored)
        except UNREADABLE:
            raise UnreadableError from None
        return STRICT.sub(TRANSITIONAL, content) if stored.lower().endswith((".xml", ".rels")) else content

    def tree(self, name: str) -> Element | None:
        """Return the root element of a part, or None if there is no such part.

        Raises:
            UnreadableError: It is no XML, or nested too deeply.
        """
        content = self.read(name)
        return None if content is None else parsed(content)

    def relationships(self, name: str) -> dict[str, Relationship]:
        """Return where a part leads to; the package itself is the part with no name."""
        folder, _, file = name.rpartition("/")
        root = self.tree(join(folder, "_rels", f"{file}.rels"))
        elements = [] if root is None else root.iter(RELATIONSHIP)
        return {each.get("Id", ""): _relationship(each, folder) for each in elements}

    def main_part(self) -> str:
        """Return the name of the part that the package leads to first.

        Raises:
            UnreadableError: There is none.
        """
        for each in self.relationships("").values():
            if each.kind == "officeDocument" and each.target.lower() in self.names:
                return each.target
        raise UnreadableError

    def rewritten(self, replaced: Mapping[str, bytes | None]) -> bytes:
        """Return the package with parts replaced or added, and without those that are to be None."""
        contents = {name.lower(): content for name, content in replaced.items()}
        file = BytesIO()
        with ZipFile(file, "w", ZIP_STORED) as package:
            for key, name in {**{name: name for name in contents}, **self.names}.items():
                content = contents[key] if key in contents else self.read(name)
                if content is not None:
                    package.writestr(name, content)
        return file.getvalue()


def parsed(content: bytes) -> Element:
    try:
        return etree.fromstring(content, etree.XMLParser(**PARSER_OPTIONS))
    except (etree.XMLSyntaxError, ValueError):
        raise UnreadableError from None


def written(root: Element) -> bytes:
    """Return the XML of a part, composed: xberg reads documents with decomposed letters without their structure."""
    return composed(etree.tostring(root, encoding="unicode")).encode()


def local_id(element: Element) -> str:
    """Return the id of the relationship that an element stands for."""
    named = (value for name, value in element.attrib.items() if name.startswith("{") and name.endswith("}id"))
    return next(named, "")


def natural(text: str | None, most_digits: int = MOST_DIGITS, default: int = 0) -> int:
    """Return the number that an attribute holds, or the default if it holds none or a longer one."""
    return int(text) if text and text.isdecimal() and len(text) <= most_digits else default


def _relationship(element: Element, folder: str) -> Relationship:
    target, is_external = element.get("Target", ""), element.get("TargetMode") == "External"
    if not is_external:
        target = normpath(join("/", folder, unquote(target))).lstrip("/")
    return Relationship(element.get("Type", "").rpartition("/")[2], target, is_external)
