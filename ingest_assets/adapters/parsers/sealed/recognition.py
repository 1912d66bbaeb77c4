"""Text recognition (OCR) as the readers of files see it: what they have recognised, and what they get.

Tesseract itself, and what decodes pictures, are loaded only by workers that recognise text.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ingest_assets.domain.documents.warnings import WarningKind

if TYPE_CHECKING:
    from PIL import Image

DOUBTFUL_BELOW = 65.0
"""The mean confidence, in percent, below which a page counts as recognised poorly."""
COARSE_ROWS = 150
"""A fax has 98 rows an inch by default, and about 200 when it is fine."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A page to be recognised: an image in grey, and what is known of its making."""

    image: "Image.Image"
    dots_per_inch: int
    is_bilevel: bool = False
    """Whether it was made of black and white pixels only, as faxes are."""
    is_coarse: bool = False
    """Whether it was made of much fewer rows than columns an inch, as faxes are by default."""


@dataclass(frozen=True, slots=True)
class Recognised:
    text: str
    """Markdown."""
    confidence: float
    """The mean over the words, in percent."""


class OutOfTimeError(Exception):
    """The time for this page, or for the whole document, is over."""


class Recogniser(Protocol):
    def begin_document(self) -> None:
        """Begin to count pages and time anew."""

    def may_go_on(self) -> bool:
        """Return whether the document has pages and time left."""

    def pictures(self, content: bytes, most_pages: int) -> Iterator[Picture | None]:
        """Yield the pages of a picture's file, or None for one that cannot be decoded.

        Raises:
            RefusedError: corrupt, bomb or too_many_pages.
        """

    def recognise(self, picture: Picture) -> Recognised | None:
        """Return the text of a page, which is empty for an empty page, or None if no text is found.

        Raises:
            OutOfTimeError: The page was not recognised in time.
        """


def picture_pages(content: bytes, most_pages: int, warnings: Counter[WarningKind], recogniser: Recogniser) -> list[str]:
    """Return the recognised text of each page of a picture's file, and count the pages that lack some.

    Raises:
        RefusedError: corrupt, bomb or too_many_pages.
    """
    pages = recogniser.pictures(content, most_pages)
    return [recognised_text(picture, warnings, recogniser) for picture in pages]


def recognised_text(picture: Picture | None, warnings: Counter[WarningKind], recogniser: Recogniser) -> str:
    """Return the text of a page as Markdown, and count the page if it has none, or hardly any that is certain."""
    try:
        recognised = recogniser.recognise(picture) if picture and recogniser.may_go_on() else None
    except OutOfTimeError:
        recognised = None
    if recognised is None:
        warnings[WarningKind.PAGES_WITHOUT_TEXT] += 1
        return ""
    if recognised.text and recognised.confidence < DOUBTFUL_BELOW:
        warnings[WarningKind.PAGES_POORLY_RECOGNISED] += 1
    return recognised.text
