"""Pictures that are made to do harm, or that are damaged."""

import struct
import zlib
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image, ImageOps

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.adapters.parsers.sealed.limits import ParserLimits
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.files.file_types import FileType, recognise
from ingest_assets.posix.ocr_languages import folder_of
from ingest_assets_tests.contracts.parser_contract import parse, refusal
from ingest_assets_tests.scans import as_file, as_pdf, typed

CLAUSE = ["We pay for the damage that hail does to a greenhouse."]


@pytest.fixture(scope="module")
def recognising() -> Iterator[LocalParser]:
    parser = LocalParser(ParserLimits(ocr_folder=str(folder_of(["eng"])), pages=20))
    yield parser
    parser.close()


def png(width: int, height: int, rows: int) -> bytes:
    """A picture of one bit a pixel that claims to be of this size."""

    def part(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1 + (width + 7) // 8) * rows, 9)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", pixels) + part(b"IEND", b"")


def endless_tiff() -> bytes:
    """A TIFF whose only page is followed by itself."""
    made = bytearray(as_file("TIFF", Image.new("1", (8, 8), 1)))
    (first,) = struct.unpack_from("<I", made, 4)
    (entries,) = struct.unpack_from("<H", made, first)
    struct.pack_into("<I", made, first + 2 + 12 * entries, first)
    return bytes(made)


@pytest.mark.parametrize(
    ("make", "kind", "codes"),
    [
        (lambda: png(60_000, 60_000, 100), FileType.PNG, {"bomb"}),
        (lambda: png(2**31 - 1, 1, 1), FileType.PNG, {"bomb", "corrupt"}),
        (lambda: as_file("PNG", typed(CLAUSE))[:900], FileType.PNG, {"corrupt"}),
        (lambda: as_file("JPEG", typed(CLAUSE))[:700], FileType.JPEG, {"corrupt"}),
        (lambda: as_file("TIFF", typed(CLAUSE).convert("1"), compression="group4")[:300], FileType.TIFF, {"corrupt"}),
        (lambda: as_file("TIFF", *[Image.new("1", (8, 8), 1)] * 21), FileType.TIFF, {"too_many_pages"}),
        (endless_tiff, FileType.TIFF, {"empty_output", "needs_ocr", "too_many_pages", "corrupt"}),
        (lambda: as_file("PNG", Image.new("L", (900, 900), 128)), FileType.PNG, {"needs_ocr"}),
        (lambda: as_file("PNG", Image.new("L", (900, 900), 255)), FileType.PNG, {"empty_output"}),
        (lambda: b"\x89PNG\r\n\x1a\n\x00\x00", FileType.PNG, {"corrupt"}),
    ],
    ids=[
        *("a bomb", "a long line", "half a PNG", "half a JPEG", "half a TIFF"),
        *("too many pages", "pages without end", "grey", "white", "a mark alone"),
    ],
)
def test_what_cannot_be_read_is_refused_for_what_it_is(
    recognising: LocalParser, make: Callable[[], bytes], kind: FileType, codes: set[str]
) -> None:
    error = refusal(recognising, make(), kind)

    assert isinstance(error, PermanentError)
    assert error.code in codes


def test_a_page_whose_picture_is_too_large_costs_the_document_nothing_else(recognising: LocalParser) -> None:
    huge = Image.new("1", (12_000, 12_000), 1)

    assert "greenhouse" in parse(recognising, as_pdf(typed(CLAUSE), huge), FileType.PDF).text


@pytest.mark.parametrize(
    ("kind", "name", "found"),
    [("PNG", "scan.png", FileType.PNG), ("JPEG", "photo.jpeg", FileType.JPEG), ("TIFF", "fax.tif", FileType.TIFF)],
)
def test_pictures_are_recognised_by_their_marks(kind: str, name: str, found: FileType) -> None:
    content = as_file(kind, Image.new("L", (8, 8), 255))

    assert recognise(content, name) is found
    assert recognise(content, "scan") is found
    with pytest.raises(PermanentError, match="type_mismatch"):
        recognise(content, "policy.pdf")


def test_transparent_letters_are_read_as_on_paper(recognising: LocalParser) -> None:
    page = typed(CLAUSE)
    ink = Image.new("RGBA", page.size, (0, 0, 0, 0))
    ink.paste((0, 0, 0, 255), mask=page.point(lambda shade: 255 - shade))

    assert "greenhouse" in parse(recognising, as_file("PNG", ink), FileType.PNG).text


def shades(page: Image.Image, kind: str, white: float) -> Image.Image:
    """The page on greyish paper in dark grey ink, as scanners see it, in numbers up to this one."""
    seen = 60 + np.asarray(page) * (175 / 255)
    return Image.fromarray((seen * (white / 255)).astype(kind))


def palette(page: Image.Image) -> Image.Image:
    """Black letters, and paper that would be black if it were not transparent."""
    made = page.point(lambda shade: int(shade < 128)).convert("P")
    made.putpalette([0, 0, 0, 0, 0, 0])
    return made


MODES: dict[str, Callable[[Image.Image], bytes]] = {
    "PNG of 65,536 shades": lambda page: as_file("PNG", shades(page, "uint16", 65_535)),
    "PNG of 4,096 shades": lambda page: as_file("PNG", shades(page, "uint16", 4095)),
    "PNG of 256 shades in two bytes": lambda page: as_file("PNG", shades(page, "uint16", 255)),
    "PNG of 65,536 shades, one of them transparent": lambda page: as_file(
        "PNG", shades(page, "uint16", 65_535), transparency=65_535
    ),
    "TIFF of 65,536 shades": lambda page: as_file("TIFF", shades(page, "uint16", 65_535)),
    "TIFF of 65,536 shades, first the higher byte": lambda page: as_file(
        "TIFF", Image.frombytes("I;16B", page.size, np.asarray(shades(page, "uint16", 65_535)).astype(">u2").tobytes())
    ),
    "TIFF of 65,536 shades, the highest black": lambda page: as_file(
        "TIFF", Image.fromarray(65_535 - np.asarray(shades(page, "uint16", 65_535))), tiffinfo={262: 0}
    ),
    "TIFF of two milliard shades": lambda page: as_file("TIFF", shades(page, "int32", 2**31 - 1)),
    "TIFF of shades below zero": lambda page: as_file(
        "TIFF", Image.fromarray(np.asarray(shades(page, "int32", 65_535)) - 32_768)
    ),
    "TIFF of shares": lambda page: as_file("TIFF", shades(page, "float32", 1)),
    "TIFF of broken numbers": lambda page: as_file("TIFF", shades(page, "float32", 255)),
    "TIFF of L*a*b*": lambda page: as_file("TIFF", Image.merge("LAB", (page, *[Image.new("L", page.size, 128)] * 2))),
    "TIFF of printing inks": lambda page: as_file("TIFF", page.convert("RGB").convert("CMYK")),
    "JPEG of printing inks": lambda page: as_file("JPEG", page.convert("RGB").convert("CMYK")),
    "PNG of black and white": lambda page: as_file("PNG", page.convert("1", dither=Image.Dither.NONE)),
    "TIFF of white and black": lambda page: as_file(
        "TIFF", ImageOps.invert(page).convert("1", dither=Image.Dither.NONE), tiffinfo={262: 0}
    ),
    "PNG of white letters": lambda page: as_file("PNG", ImageOps.invert(page).convert("1", dither=Image.Dither.NONE)),
    "PNG of black ink on nothing": lambda page: as_file(
        "PNG", Image.merge("LA", (Image.new("L", page.size, 0), ImageOps.invert(page)))
    ),
    "PNG of few colours": lambda page: as_file("PNG", page.quantize(8)),
    "PNG of few colours, one of them transparent": lambda page: as_file("PNG", palette(page), transparency=0),
}


@pytest.mark.parametrize("mode", MODES)
def test_a_page_is_read_however_its_pixels_are_stored(recognising: LocalParser, mode: str) -> None:
    content = MODES[mode](typed(CLAUSE))

    assert "greenhouse" in parse(recognising, content, recognise(content, "scan")).text


def test_shades_that_are_no_numbers_are_damage(recognising: LocalParser) -> None:
    content = as_file("TIFF", Image.fromarray(np.full((90, 90), np.nan, "float32")))

    assert refusal(recognising, content, FileType.TIFF).code == "corrupt"
