"""Tesseract: its language data is loaded, and everything used once, before the worker is sealed."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFilter
from tesserocr import OEM, PSM, RIL, PyResultIterator, PyTessBaseAPI, iterate_level

from ingest_assets.adapters.parsers.sealed.limits import ParserLimits
from ingest_assets.adapters.parsers.sealed.markdown import plain_line
from ingest_assets.adapters.parsers.sealed.pictures import load_decoders, pictures
from ingest_assets.adapters.parsers.sealed.recognition import OutOfTimeError, Picture, Recognised
from ingest_assets.domain.text.normalisation import has_words

SEEMS_WRONG_BELOW = 75.0
"""The mean confidence below which it is worth asking whether the page lies on its side or is upside down."""
SPECK, DUSTLESS_SHARE, DARK = 3, 0.5, 128
"""The size of dust in pixels, and the share of the ink that is left without it. Thin letters would go with it."""
USUAL_DPI = 200
FAINTEST_WORD = 25.0
"""Less certain words are mostly marks in pictures and on paper."""
LONGEST_PAGE_SECONDS = 30.0
SMOOTHING, COARSE_SMOOTHING = 1.0, 1.3
"""Radii of the blur that makes letters of jagged ones, in pixels; coarse faxes have 98 rows an inch."""
INK_SHARE = 0.0002
"""Fewer pixels than this share that differ from the paper are dust on an empty page."""
DARKEST_PAPER = 220
FAINT = 48
"""How far a shade of grey may be from the paper's."""


class Tesseract:
    """The recogniser; it keeps to the pages and the time of one document."""

    def __init__(self, limits: ParserLimits) -> None:
        folder = limits.ocr_folder
        self._limits = limits
        self._reader = PyTessBaseAPI(path=folder, lang="+".join(limits.ocr_languages), psm=PSM.AUTO, oem=OEM.LSTM_ONLY)
        self._compass = PyTessBaseAPI(path=folder, lang="osd", psm=PSM.OSD_ONLY)
        self._pages = 0
        self._ends = 0.0
        self._warm_up()

    def _warm_up(self) -> None:
        load_decoders()
        self.begin_document()
        self._read(_specimen(), USUAL_DPI)
        self._turned_by(_specimen(), USUAL_DPI)

    def begin_document(self) -> None:
        self._pages = 0
        self._ends = time.monotonic() + self._limits.ocr_seconds

    def may_go_on(self) -> bool:
        return self._pages < self._limits.ocr_pages and time.monotonic() < self._ends

    def pictures(self, content: bytes, most_pages: int) -> Iterator[Picture | None]:
        return pictures(content, most_pages)

    def recognise(self, picture: Picture) -> Recognised | None:
        self._pages += 1
        image = _smoothed(picture)
        if _is_blank(image):
            return Recognised("", 100)
        found = [self._read(image, picture.dots_per_inch)]
        if _is_doubtful(found) and (degrees := self._turned_by(image, picture.dots_per_inch)):
            found.append(self._read(image.rotate(degrees, expand=True), picture.dots_per_inch))
        return _best(found)

    def _read(self, image: Image.Image, dots_per_inch: int) -> Recognised | None:
        self._show(self._reader, image, dots_per_inch)
        seconds = min(self._ends - time.monotonic(), LONGEST_PAGE_SECONDS)
        try:
            if seconds <= 0 or not self._reader.Recognize(int(seconds * 1000)):
                raise OutOfTimeError
            words = list(_words(self._reader.GetIterator()))
        finally:
            self._reader.Clear()
        text = _laid_out(words)
        if not has_words(text):
            return None
        letters = sum(len(word.text) for word in words)
        return Recognised(text, sum(word.confidence * len(word.text) for word in words) / letters)

    def _turned_by(self, image: Image.Image, dots_per_inch: int) -> int:
        """Return by how many degrees to turn the page counter-clockwise so that it stands upright."""
        self._show(self._compass, image, dots_per_inch)
        found = self._compass.DetectOrientationScript()
        self._compass.Clear()
        return 0 if found is None else int(found["orient_deg"])

    @staticmethod
    def _show(api: PyTessBaseAPI, image: Image.Image, dots_per_inch: int) -> None:
        api.SetImageBytes(image.tobytes(), image.width, image.height, 1, image.width)  # it takes a copy
        api.SetSourceResolution(dots_per_inch)


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    confidence: float
    begins_paragraph: bool
    begins_line: bool


def _words(results: PyResultIterator | None) -> Iterator[_Word]:
    """Yield the words in reading order, without those that are hardly words."""
    if results is None or results.Empty(RIL.WORD):
        return
    begins_paragraph = begins_line = False
    for each in iterate_level(results, RIL.WORD):
        begins_paragraph |= each.IsAtBeginningOf(RIL.PARA)
        begins_line |= each.IsAtBeginningOf(RIL.TEXTLINE)
        text = (each.GetUTF8Text(RIL.WORD) or "").strip()
        confidence = each.Confidence(RIL.WORD)
        if text and confidence >= FAINTEST_WORD:
            yield _Word(text, confidence, begins_paragraph, begins_line)
            begins_paragraph = begins_line = False


def _laid_out(words: list[_Word]) -> str:
    """Return Markdown of the words: a line for each line, with empty lines between paragraphs."""
    paragraphs: list[list[list[str]]] = []
    for word in words:
        if word.begins_paragraph or not paragraphs:
            paragraphs.append([])
        if word.begins_line or not paragraphs[-1]:
            paragraphs[-1].append([])
        paragraphs[-1][-1].append(word.text)
    return "\n\n".join("\n".join(plain_line(" ".join(line)) for line in paragraph) for paragraph in paragraphs)


def _best(found: Sequence[Recognised | None]) -> Recognised | None:
    return max((each for each in found if each is not None), key=lambda each: each.confidence, default=None)


def _is_doubtful(found: Sequence[Recognised | None]) -> bool:
    best = _best(found)
    return best is None or best.confidence < SEEMS_WRONG_BELOW


def _specimen() -> Image.Image:
    image = Image.new("L", (300, 100), 255)
    ImageDraw.Draw(image).text((20, 20), "Cover for fire and theft", 0)
    return image.resize((1200, 400))


def _smoothed(picture: Picture) -> Image.Image:
    """Return a fax without jags, and without dust if most of its ink is dust, over which Tesseract takes long."""
    image = picture.image
    if not picture.is_bilevel:
        return image
    cleaned = image.filter(ImageFilter.MedianFilter(SPECK))
    if _ink(cleaned) < DUSTLESS_SHARE * _ink(image):
        image = cleaned
    return image.filter(ImageFilter.GaussianBlur(COARSE_SMOOTHING if picture.is_coarse else SMOOTHING))


def _ink(image: Image.Image) -> int:
    return sum(image.histogram()[:DARK])


def _is_blank(image: Image.Image) -> bool:
    """Return whether nearly every pixel is about as bright as most are, which are bright."""
    counts = image.histogram()
    paper = max(range(len(counts)), key=counts.__getitem__)
    if paper < DARKEST_PAPER:
        return False
    near = range(max(0, paper - FAINT), min(len(counts), paper + FAINT + 1))
    return sum(counts) - sum(counts[shade] for shade in near) < INK_SHARE * sum(counts)
