"""Pages of a PDF that are pictures: rendered by pdfium, and recognised."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice

import pypdfium2 as pdfium

from ingest_assets.adapters.parsers.sealed.recognition import COARSE_ROWS, Picture, Recogniser, recognised_text
from ingest_assets.domain.documents.warnings import WarningKind

SCAN_SHARE = 0.5
"""Of the page; smaller pictures are figures and logos, whose page is the text beside them."""
DOTS_PER_INCH = 200
POINTS_PER_INCH = 72
USUAL_SIDE, LONGEST_SIDE = 2339, 3400
"""The longer side of a rendered page, in pixels: A4 at 200 dpi, and the most."""
MOST_PIXELS = 100_000_000
"""A page with a larger picture is not rendered: pdfium unpacks all of it."""
MOST_FAX_PIXELS = 16_000_000
GREYS = slice(64, 192)
GREY_SHARE = 0.005
"""Of the pixels of a fax that was stored as a photograph; on a page that is not one, four times as many are grey."""
MOST_OBJECTS = 2000
WORD = re.compile(r"[^\W_]+")


def covers_page(picture: pdfium.PdfObject, page: pdfium.PdfPage) -> bool:
    """Return whether a picture is so large that it is the page rather than on it."""
    left, bottom, right, top = picture.get_bounds()
    area = page.get_width() * page.get_height()
    return bool(area > 0 and max(0, right - left) * max(0, top - bottom) >= SCAN_SHARE * area)


def recognised_page(
    document: pdfium.PdfDocument, number: int, text: str, warnings: Counter[WarningKind], recogniser: Recogniser
) -> str:
    """Return a page with its text recognised, and with those words of its own that were not."""
    try:
        picture = _rendered(document, number) if recogniser.may_go_on() else None
    except pdfium.PdfiumError:
        picture = None
    return _with_own_words(text, recognised_text(picture, warnings, recogniser))


def _with_own_words(own: str, recognised: str) -> str:
    known = set(_words(recognised))
    missed = [line.strip() for line in own.splitlines() if not known.issuperset(_words(line))]
    return "\n\n".join(part for part in ("\n".join(missed), recognised) if part)


def _words(text: str) -> Sequence[str]:
    return WORD.findall(text.lower())


def _rendered(document: pdfium.PdfDocument, number: int) -> Picture | None:
    """Return a page in grey, or None if it holds too large a picture."""
    page = document[number]
    try:
        pictures = list(islice(page.get_objects([pdfium.raw.FPDF_PAGEOBJ_IMAGE], max_depth=4), MOST_OBJECTS))
        sizes = [each.get_px_size() for each in pictures]
        if any(width * height > MOST_PIXELS for width, height in sizes):
            return None
        longest = max(page.get_width(), page.get_height())
        side = _side(longest * DOTS_PER_INCH / POINTS_PER_INCH, max((max(size) for size in sizes), default=0))
        rendered = page.render(scale=side / longest, grayscale=True)
        image = rendered.to_pil().convert("L")
        rendered.close()
        is_bilevel, is_coarse = _making(pictures)
        return Picture(image, round(min(side / longest * POINTS_PER_INCH, 400)), is_bilevel, is_coarse)
    finally:
        page.close()


def _side(usual: float, native: int) -> float:
    """Return how many pixels the longer side of a page gets: as many as letters need, and none for nothing."""
    side = min(usual, LONGEST_SIDE)
    return min(max(side, min(native, USUAL_SIDE)), max(native, USUAL_SIDE)) if native else side


def _making(pictures: Sequence[pdfium.PdfImage]) -> tuple[bool, bool]:
    """Return whether the page is one picture of black and white only, and whether that has few rows an inch."""
    if len(pictures) != 1:
        return False, False
    [picture] = pictures
    made = picture.get_metadata()
    is_bilevel = made.bits_per_pixel == 1 or _is_black_and_white(picture)
    return is_bilevel, is_bilevel and min(made.vertical_dpi, made.horizontal_dpi) < COARSE_ROWS


def _is_black_and_white(picture: pdfium.PdfImage) -> bool:
    """Return whether hardly any of the picture's pixels are grey: between lines of smooth letters, many are."""
    width, height = picture.get_px_size()
    if width * height > MOST_FAX_PIXELS:
        return False
    bitmap = picture.get_bitmap()
    counts = bitmap.to_pil().convert("L").histogram()
    bitmap.close()
    return bool(sum(counts[GREYS]) < GREY_SHARE * sum(counts))
