"""Parts that declare a document type and may: nothing reads them as a part of the document.

These are the settings of printers of a Mac, which are property lists, and pages of HTML that a document takes in.
"""

import re
from collections.abc import Sequence

from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.files.part_names import last_segment, shown_name

OPAQUE = ("/printerSettings", "/aFChunk")
"""The ends of the kinds of relationship that lead to them."""
XML_TYPE = re.compile(r"[+/]xml\b", re.IGNORECASE)


class Judgement:
    """Whether suspects are opaque, by all that their package says of parts with such a name in any folder.

    Every relationship that leads to one must be of an opaque kind, at least one must lead there, and no content type
    may call it XML.
    """

    def __init__(self, suspects: Sequence[str]) -> None:
        self._suspects = {last_segment(name): name for name in suspects}
        self._opaque: set[str] = set()

    def hear_relationship(self, _element: str, attributes: dict[str, str]) -> None:
        """Take note of an element of relationships.

        Raises:
            PermanentError: corrupt.
        """
        named = {last_segment(value) for value in attributes.values()} & self._suspects.keys()
        if named and not attributes.get("Type", "").endswith(OPAQUE):
            self._refuse(named.pop())
        self._opaque |= named

    def hear_type(self, _element: str, attributes: dict[str, str]) -> None:
        """Take note of an element of content types.

        Raises:
            PermanentError: corrupt.
        """
        if not XML_TYPE.search(attributes.get("ContentType", "")):
            return
        ending = f".{attributes['Extension'].lower()}" if "Extension" in attributes else None
        called = last_segment(attributes.get("PartName", ""))
        for name in self._suspects:
            if name == called or (ending and name.endswith(ending)):
                self._refuse(name)

    def pronounce(self) -> None:
        """Refuse what nothing has been heard of.

        Raises:
            PermanentError: corrupt.
        """
        for name in self._suspects.keys() - self._opaque:
            self._refuse(name)

    def _refuse(self, name: str) -> None:
        raise PermanentError("corrupt", part=shown_name(self._suspects[name]))
