"""Pages of known text as scanners, cameras and fax machines would give them."""

import random
import re
from collections import Counter
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
import pypdfium2 as pdfium
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

A4 = (595, 842)
WORD = re.compile(r"[^\W_]+")
LINE_HEIGHT = 16
FAX_COLUMNS = 204
"""An inch."""


def typed(lines: Sequence[str], font: str = "Helvetica", size: float = 10.5, dots_per_inch: int = 200) -> Image.Image:
    """A page of these lines, in grey."""
    file = BytesIO()
    canvas = Canvas(file, A4)
    canvas.setFont(font, size)
    for number, line in enumerate(lines):
        canvas.drawString(60, 780 - number * LINE_HEIGHT, line)
    canvas.showPage()
    canvas.save()
    return rendered(file.getvalue(), dots_per_inch)


def rendered(document: bytes, dots_per_inch: int = 200, page: int = 0) -> Image.Image:
    opened = pdfium.PdfDocument(document)
    image: Image.Image = opened[page].render(scale=dots_per_inch / 72, grayscale=True).to_pil().copy()
    opened.close()
    return image


def skewed(page: Image.Image, degrees: float) -> Image.Image:
    return page.rotate(degrees, resample=Image.Resampling.BICUBIC, fillcolor=255)


def faxed(page: Image.Image, seed: int, rows: int, dots_per_inch: int = 300) -> Image.Image:
    """The page of 204 columns and so many rows an inch, black and white, with noise and dust."""
    size = round(page.width * FAX_COLUMNS / dots_per_inch), round(page.height * rows / dots_per_inch)
    shades = np.asarray(page.resize(size, Image.Resampling.LANCZOS)).astype(float)
    chance = np.random.default_rng(seed)
    white = (shades + chance.normal(0, 25, shades.shape)) > 128
    white ^= chance.random(shades.shape) < 0.004
    return Image.fromarray((white * 255).astype("uint8")).convert("1")


def as_pdf(*pages: Image.Image, stamp: str = "") -> bytes:
    """Each picture fills a page, upright or across; the stamp is text."""
    file = BytesIO()
    canvas = Canvas(file)
    for page in pages:
        size = A4 if page.height > page.width else A4[::-1]
        canvas.setPageSize(size)
        canvas.drawImage(ImageReader(page), 0, 0, *size)
        canvas.drawString(400, 20, stamp)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def as_file(kind: str, *pages: Image.Image, **options: Any) -> bytes:
    file = BytesIO()
    more = {"save_all": True, "append_images": pages[1:]} if len(pages) > 1 else {}
    pages[0].save(file, kind, **more, **options)
    return file.getvalue()


def prose(sentences: Sequence[str], seed: int, width: int = 88, lines: int = 42) -> list[str]:
    """Lines of a page of these sentences, in another order for each seed."""
    chance = random.Random(seed)  # noqa: S311
    made: list[str] = []
    while len(made) < lines:
        line = ""
        for word in " ".join(chance.sample(sentences, min(4, len(sentences)))).split():
            if len(line) + len(word) + 1 > width:
                made.append(line)
                line = word
            else:
                line = f"{line} {word}".strip()
        made += [line, ""]
    return made[:lines]


def share_found(lines: Sequence[str], text: str) -> float:
    """The share of the words of these lines that the text has, each as often."""
    wanted, found = (Counter(WORD.findall(each.lower())) for each in (" ".join(lines), text))
    return (wanted & found).total() / wanted.total()
