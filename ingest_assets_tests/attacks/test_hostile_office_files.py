"""Numbers and nodes that no program writes into office files: each would end three workers."""

from collections.abc import Mapping
from io import BytesIO
from zipfile import ZIP_STORED, ZipFile

import pytest

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.domain.files.file_types import FileType
from ingest_assets_tests.adapters.parsers.word_files import item, level, numbering, paragraph, run, word
from ingest_assets_tests.contracts.parser_contract import parse
from ingest_assets_tests.hostile.files import _sheet as sheet_file
from ingest_assets_tests.sample_files import slides

ENDLESS = "9" * 5000
LONGEST = "9" * 4300
"""The longest number that Python reads; the next one has a digit more, which it does not write."""
BEYOND_FLOATS = "9" * 400
PICTURE = f'<p:pic xmlns:a="a"><a:blip/><a:ext cx="{BEYOND_FLOATS}" cy="1"/></p:pic></p:spTree>'


def changed(package: bytes, changes: Mapping[str, tuple[str, str]]) -> bytes:
    """Return the package with something replaced in some of its parts."""
    file = BytesIO()
    with ZipFile(BytesIO(package)) as before, ZipFile(file, "w", ZIP_STORED) as after:
        for name in before.namelist():
            old, new = changes.get(name, ("", ""))
            after.writestr(name, before.read(name).decode().replace(old, new) if old else before.read(name))
    return file.getvalue()


def cells(more: str) -> bytes:
    return sheet_file(f'<row r="1"><c r="A1" t="inlineStr"><is><t>walrus</t></is></c>{more}</row>')


def numbered(start: str, depth: str) -> bytes:
    first = level(0, "decimal", "%1.").replace('w:start w:val="1"', f'w:start w:val="{start}"')
    deep = level(1, "decimal", "%2.").replace('w:ilvl="1"', f'w:ilvl="{depth}"')
    body = paragraph(run("walrus")) + item("one") + item("two")
    return word(body, {"numbering": numbering(first, deep)})


ATTACKS = {
    "the style of a cell": (FileType.XLSX, cells(f'<c r="B1" s="{ENDLESS}"><v>1</v></c>')),
    "the place of a shared text": (FileType.XLSX, cells(f'<c r="B1" t="s"><v>{ENDLESS}</v></c>')),
    "an instruction in a cell": (FileType.XLSX, cells('<c r="B1"><?walrus?><v>1</v></c>')),
    "an instruction in a row": (FileType.XLSX, cells("<?walrus?>")),
    "an instruction in a paragraph": (FileType.DOCX, word(paragraph(run("walrus"), "<?walrus?>"))),
    "the depth of a list": (FileType.DOCX, numbered("1", ENDLESS)),
    "the start of a list": (FileType.DOCX, numbered(LONGEST, "1")),
    "the size of a slide": (
        FileType.PPTX,
        changed(
            slides(1),
            {
                "ppt/presentation.xml": (
                    "</p:sldIdLst>",
                    f'</p:sldIdLst><p:sldSz cx="{BEYOND_FLOATS}" cy="1"/>',
                ),
                "ppt/slides/slide1.xml": ("</p:spTree>", PICTURE),
            },
        ),
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_no_program_writes_ends_no_worker(parser: LocalParser, attack: str) -> None:
    kind, content = ATTACKS[attack]
    assert ("fire" if kind is FileType.PPTX else "walrus") in parse(parser, content, kind).text
