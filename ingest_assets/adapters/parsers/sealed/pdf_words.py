"""Where the words of a PDF page are, as the page is shown."""

from collections.abc import Iterator

import pypdfium2 as pdfium

from ingest_assets.domain.text.layout import Word

MOST_CHARACTERS = 60_000
"""Of a page; on one with more, nobody looks for a place of theirs."""
PARTED = 0.3
"""A gap of so many heights parts two words even if there is no space between them."""

Box = tuple[float, float, float, float]


def page_words(page: pdfium.PdfPage, text: pdfium.PdfTextPage) -> list[Word]:
    """Return the words of a page with their places, in the order of the file."""
    count = text.count_chars()
    return list(_words(page, text, count)) if 0 < count <= MOST_CHARACTERS else []


class Sheet:
    """A page as it is shown, with its size and how it is turned."""

    def __init__(self, page: pdfium.PdfPage) -> None:
        self._width, self._height, self._degrees = page.get_width(), page.get_height(), page.get_rotation()

    def shown(self, left: float, bottom: float, right: float, top: float) -> Box:
        """Return where a box of the page is shown: its left, top, right and bottom, from the top downwards."""
        match self._degrees:
            case 90:
                return bottom, left, top, right
            case 180:
                return self._width - right, bottom, self._width - left, top
            case 270:
                return self._width - top, self._height - right, self._width - bottom, self._height - left
            case _:
                return left, self._height - top, right, self._height - bottom


def _words(page: pdfium.PdfPage, text: pdfium.PdfTextPage, count: int) -> Iterator[Word]:
    sheet, place = Sheet(page), pdfium.raw.FS_RECTF()
    letter_at, box_at = pdfium.raw.FPDFText_GetUnicode, pdfium.raw.FPDFText_GetLooseCharBox
    letters: list[str] = []
    box = (0.0, 0.0, 0.0, 0.0)
    for at in range(count):
        letter = chr(letter_at(text, at) or 32)
        if letter.isspace() or letter == "\ufffe" or not box_at(text, at, place):
            if letters:
                yield Word("".join(letters), *box)
            letters = []
            continue
        shown = sheet.shown(place.left, place.bottom, place.right, place.top)
        if letters and _is_apart(box, shown):
            yield Word("".join(letters), *box)
            letters = []
        box = _union(box, shown) if letters else shown
        letters.append(letter)
    if letters:
        yield Word("".join(letters), *box)


def _is_apart(word: Box, letter: Box) -> bool:
    height = max(word[3] - word[1], letter[3] - letter[1])
    return letter[0] - word[2] > PARTED * height or letter[0] < word[0] or letter[1] > word[3] or letter[3] < word[1]


def _union(word: Box, letter: Box) -> Box:
    return min(word[0], letter[0]), min(word[1], letter[1]), max(word[2], letter[2]), max(word[3], letter[3])
