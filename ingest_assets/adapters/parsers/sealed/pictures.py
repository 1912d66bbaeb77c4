"""Pictures: scans and faxes as TIFF, photographs and screenshots as JPEG and PNG, decoded by Pillow."""

import warnings
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from math import isfinite

from PIL import Image, ImageOps, JpegImagePlugin, MpoImagePlugin, PngImagePlugin, TiffImagePlugin

from ingest_assets.adapters.parsers.sealed.recognition import COARSE_ROWS, Picture
from ingest_assets.adapters.parsers.sealed.refusals import RefusedError

FORMATS = ("JPEG", "PNG", "TIFF")
PLUGINS = (JpegImagePlugin, MpoImagePlugin, PngImagePlugin, TiffImagePlugin)
"""Pillow would import them when it first needs them, which a sealed worker cannot."""
MOST_PIXELS = 100_000_000
"""A sheet of A2 at 600 dpi has 139 million; in colour, it would take more memory than a worker has."""
LONGEST_SIDE = 3400
"""Larger pictures are made smaller: A4 at 290 dpi, at which more pixels add time and no words."""
SHORTEST_SIDE = 1650
"""Smaller pictures are made larger, at most twice: letters of a screen have too few pixels for Tesseract."""
WHITES = tuple((1 << bits) - 1 for bits in (8, 10, 12, 14, 16))
"""The brightest shades that scanners know, in a file for more of them."""
PLAUSIBLE_DPI = range(60, 1300)
UNKNOWN_DPI = 200


def pictures(content: bytes, most_pages: int) -> Iterator[Picture | None]:
    """Yield the picture of each page, or None for one that cannot be decoded.

    Raises:
        RefusedError: corrupt, bomb or too_many_pages.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the bounds here are stricter than those that Pillow warns of
        try:
            file = Image.open(BytesIO(content), formats=FORMATS)
            pages = _count(file, most_pages)
        except MemoryError:
            raise
        except Image.DecompressionBombError:
            raise RefusedError("bomb") from None
        except Exception:
            raise RefusedError("corrupt") from None
        if pages > most_pages:
            raise RefusedError("too_many_pages", pages=pages)
        for number in range(pages):
            yield _page(file, number, is_only=pages == 1)


def load_decoders() -> None:
    """Have Pillow decode something of each format, so that it opens nothing later."""
    Image.preinit()
    specimen = Image.new("L", (8, 8), 255)
    for format_name, options in (("JPEG", {}), ("PNG", {}), ("TIFF", {"compression": "group4"})):
        file = BytesIO()
        specimen.convert("1" if options else "L").save(file, format_name, **options)
        list(pictures(file.getvalue(), 1))


def _count(file: Image.Image, most: int) -> int:
    """Return the number of pages, or one more than `most`; a list of them may be made without end."""
    if not isinstance(file, TiffImagePlugin.TiffImageFile):
        return 1  # what more there is in a photograph's file are smaller copies of it, or its depth
    pages = 1
    with suppress(EOFError):
        while pages <= most:
            file.seek(pages)
            pages += 1
    return pages


def _page(file: Image.Image, number: int, *, is_only: bool) -> Picture | None:
    """Return a page, or None if it cannot be decoded and there are others.

    Raises:
        RefusedError: corrupt or bomb, if it is the only page.
    """
    try:
        file.seek(number)
        if file.width * file.height <= MOST_PIXELS:
            return _decoded(file)
    except MemoryError:
        raise
    except Exception:
        if is_only:
            raise RefusedError("corrupt") from None
        return None
    if is_only:
        raise RefusedError("bomb")
    return None


def _decoded(file: Image.Image) -> Picture:
    """Return a page in grey, upright by what its camera noted, with square pixels, and of a useful size."""
    across, down = _resolution(file)
    is_bilevel = file.mode == "1"
    upright = ImageOps.exif_transpose(file)
    if (upright.width > upright.height) != (file.width > file.height):
        across, down = down, across
    image = _on_paper(upright).convert("L")
    is_bilevel = is_bilevel or sum(count > 0 for count in image.histogram()) <= 2  # noqa: PLR2004  black and white
    width, height = image.width, round(image.height * across / down)
    scale = _scale(max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    image = image if size == image.size else image.resize(size, Image.Resampling.BICUBIC)
    return Picture(image, round(across * scale), is_bilevel, is_bilevel and down < COARSE_ROWS <= across)


def _on_paper(file: Image.Image) -> Image.Image:
    """Return the picture without transparency, as it would look on white paper."""
    if file.mode.startswith(("I", "F")):
        return _in_256_shades(file)
    if file.mode == "LAB":
        return file.getchannel("L")
    if not file.has_transparency_data:
        return file.convert("L") if file.mode in ("1", "L") else file.convert("RGB")
    shown = file.convert("RGBA")
    paper = Image.new("RGBA", shown.size, "white")
    paper.alpha_composite(shown)
    return paper.convert("RGB")


def _in_256_shades(file: Image.Image) -> Image.Image:
    """Return a picture of more shades of grey, such as 65,536, of which Pillow would cut off the brighter ones."""
    shades = file.convert("I") if file.mode.startswith("I;") else file
    darkest, brightest = (float(str(bound)) for bound in shades.getextrema())
    black = min(darkest, 0.0)
    white = brightest - black
    if not isfinite(white):
        raise ValueError("some pixels have no shade")
    depths = (1, *WHITES) if file.mode == "F" else WHITES
    scale = 255 / next((each for each in depths if white <= each), white)
    return shades.point(lambda shade: shade * scale - black * scale).convert("L")


def _resolution(file: Image.Image) -> tuple[float, float]:
    """Return the pixels an inch, across and down; a file that says nothing useful has square ones."""
    try:
        across, down = map(float, file.info.get("dpi") or (0, 0))
    except (TypeError, ValueError, ZeroDivisionError):
        across = down = 0
    plausible = round(across) in PLAUSIBLE_DPI and round(down) in PLAUSIBLE_DPI
    return (across, down) if plausible else (UNKNOWN_DPI, UNKNOWN_DPI)


def _scale(longest: int) -> float:
    if longest > LONGEST_SIDE:
        return LONGEST_SIDE / longest
    return min(2.0, SHORTEST_SIDE / longest) if longest < SHORTEST_SIDE else 1.0
