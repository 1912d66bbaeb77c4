"""Files that mean harm, each made from code when it is needed, with what may become of it.

An outcome is a code of the catalogue, or SEARCHABLE where the file is harmless once it is read.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from zipfile import ZIP_STORED

from ingest_assets.domain.files.file_types import FileType
from ingest_assets_tests.hostile.containers import (
    GIGABYTE,
    LZMA,
    MEGABYTE,
    PAGE,
    PAGE_TREE,
    STORED,
    TYPES,
    Entry,
    deflated,
    pdf_file,
    pdf_page,
    word_file,
    zip_file,
    zlib_stream,
)
from ingest_assets_tests.sample_files import (
    CONTENT_TYPES,
    MAIN_PARTS,
    OFFICE_DOCUMENT,
    RELATIONSHIPS,
    SHEETS,
    WORD,
    WORD_NAMESPACE,
    docx,
    office,
    open_document,
    paragraphs,
    pdf,
)

SEARCHABLE = "searchable"
REFUSED = frozenset({"corrupt", "bomb", "empty_output", "encrypted", "needs_ocr", "unsupported", "type_mismatch"})
EXHAUSTED = frozenset({"timeout", "out_of_memory", "parser_crashed", "bomb"})
ANY = REFUSED | EXHAUSTED | {SEARCHABLE}


@dataclass(frozen=True, slots=True)
class HostileFile:
    name: str
    content: bytes
    outcomes: frozenset[str]


def _only(*codes: str) -> frozenset[str]:
    return frozenset(codes)


def _operators(count: int) -> bytes:
    return b"BT /F1 9 Tf 9 9 Td " + b"(a) Tj " * count + b"ET"


def _nested(opening: bytes, closing: bytes, depth: int) -> bytes:
    return opening * depth + b"cover" + closing * depth


def _xml(name: str, text: str, declaration: str = "") -> bytes:
    """A Word document, one part of which is this."""
    return office(WORD, {name: f'<?xml version="1.0"?>{declaration}{text}'})


def _pages(count: int) -> bytes:
    kids = b" ".join(b"%d 0 R" % number for number in range(6, 6 + count))
    tree = b"<</Type/Pages/Count %d/Kids[%s]>>" % (count, kids)
    return pdf_file({**PAGE_TREE, 2: tree, 4: b"<<>>", **dict.fromkeys(range(6, 6 + count), PAGE)})


def _one_page_many_times(count: int) -> bytes:
    tree = b"<</Type/Pages/Count %d/Kids[%s]>>" % (count, b"3 0 R " * count)
    return pdf_file({**PAGE_TREE, 2: tree, 4: b"<<>>"})


def _body(inner: str) -> bytes:
    """A Word document that is not compressed, so that nothing refuses it for its size."""
    document = f'<w:document xmlns:w="{WORD_NAMESPACE}"><w:body><w:p>{inner}</w:p></w:body></w:document>'
    relationship = f'<Relationship Id="r1" Type="{OFFICE_DOCUMENT}" Target="{MAIN_PARTS[WORD]}"/>'
    return office(WORD, {"_rels/.rels": _relationships(relationship), MAIN_PARTS[WORD]: document}, ZIP_STORED)


def _relationships(inner: str) -> str:
    return f'<Relationships xmlns="{RELATIONSHIPS}">{inner}</Relationships>'


def _sheet(rows: str) -> bytes:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    related = OFFICE_DOCUMENT.rpartition("/")[0]
    workbook = f'<workbook xmlns="{main}" xmlns:r="{related}"><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets>'
    target = f'<Relationship Id="r1" Type="{related}/worksheet" Target="worksheets/sheet1.xml"/>'
    return office(
        SHEETS,
        {
            MAIN_PARTS[SHEETS]: f"{workbook}</workbook>",
            "_rels/.rels": _relationships(
                f'<Relationship Id="r1" Type="{OFFICE_DOCUMENT}" Target="{MAIN_PARTS[SHEETS]}"/>'
            ),
            "xl/_rels/workbook.xml.rels": _relationships(target),
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>',
        },
    )


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BILLION_LAUGHS = f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>'
XXE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
REPEATED_CELL = (
    '<table:table table:name="a"><table:table-row table:number-rows-repeated="1048576">'
    '<table:table-cell office:value-type="string" table:number-columns-repeated="16384">'
    "<text:p>fire</text:p></table:table-cell></table:table-row></table:table>"
)
ONE_CELL = REPEATED_CELL.replace("1048576", "1").replace("16384", "1")
WIDE_TABLE = b"<table><tr><td colspan=1000000000 rowspan=1000000000>fire</td></tr></table>"

MADE: Mapping[str, tuple[Callable[[], bytes], frozenset[str]]] = {
    "zip-of-a-gigabyte.docx": (lambda: word_file(deflated(), GIGABYTE), _only("bomb")),
    "zip-of-a-gigabyte-that-lies.docx": (lambda: word_file(deflated(), 10), _only("bomb")),
    "zip-of-100k-entries.docx": (
        lambda: zip_file([Entry(b"%d" % number, b"", 0, STORED) for number in range(100_000)]),
        _only("bomb"),
    ),
    "zip-of-overlapping-entries.docx": (
        lambda: zip_file(
            [Entry(CONTENT_TYPES.encode(), TYPES, len(TYPES), STORED)]
            + [Entry(b"%d.xml" % number, deflated(size=MEGABYTE), 10) for number in range(9000)]
        ),
        _only("bomb"),
    ),
    "zip-that-asks-for-4gb.docx": (
        lambda: word_file(b"\x09\x04\x05\x00\x5d\xff\xff\xff\xff" + b"fire" * 9, 36, LZMA),
        _only("corrupt"),
    ),
    "xxe.docx": (lambda: _xml("word/document.xml", "<x>&e;</x>", XXE), _only("bomb")),
    "xxe-in-styles.docx": (lambda: _xml("word/styles.xml", "<x>&e;</x>", XXE), _only("bomb")),
    "xxe.odt": (lambda: open_document(FileType.ODT, manifest=XXE), _only("bomb")),
    "xxe.epub": (lambda: open_document(FileType.EPUB, manifest=XXE), _only("bomb")),
    "billion-laughs.docx": (lambda: docx("&l9;", before=BILLION_LAUGHS), _only("bomb")),
    "billion-laughs.xlsx": (lambda: office(SHEETS, {"xl/workbook.xml": BILLION_LAUGHS + "<x/>"}), _only("bomb")),
    "billion-laughs.html": (
        f"<?xml version='1.0'?>{BILLION_LAUGHS}<html><p>&l9; fire</p></html>".encode,
        ANY,
    ),
    "deep-xml.docx": (lambda: _body("<w:r>" * 100_000 + "fire" + "</w:r>" * 100_000), ANY),
    "deep-tables.docx": (lambda: _body("<w:tbl><w:tr><w:tc>" * 20_000 + "fire"), ANY),
    "wide-grid.docx": (
        lambda: docx('<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val="999999999"/></w:tcPr></w:tc></w:tr></w:tbl>fire'),
        ANY,
    ),
    "last-cell.xlsx": (lambda: _sheet('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'), ANY),
    "repeated-cells.ods": (
        lambda: open_document(FileType.ODS, f"<office:spreadsheet>{REPEATED_CELL}</office:spreadsheet>"),
        ANY,
    ),
    "flate-of-a-gigabyte.pdf": (
        lambda: pdf_page(zlib_stream(deflated()), b"/Filter/FlateDecode"),
        EXHAUSTED | REFUSED,
    ),
    "flate-in-flate.pdf": (
        lambda: pdf_page(zlib.compress(zlib_stream(deflated())), b"/Filter[/FlateDecode/FlateDecode]"),
        EXHAUSTED | REFUSED,
    ),
    "100k-pages.pdf": (lambda: _pages(100_000), _only("too_many_pages")),
    "one-page-100k-times.pdf": (lambda: _one_page_many_times(100_000), ANY | {"too_many_pages"}),
    "2m-operators.pdf": (
        lambda: pdf_page(zlib.compress(_operators(2_000_000), 9), b"/Filter/FlateDecode"),
        ANY,
    ),
    "500k-nested-arrays.pdf": (lambda: pdf_page(b"[" * 500_000 + b"]" * 500_000), ANY),
    "500k-nested-arrays-in-an-object.pdf": (
        lambda: pdf_file({**PAGE_TREE, 4: b"<<>>", 6: b"[" * 500_000 + b"]" * 500_000}),
        ANY,
    ),
    "pages-that-are-their-own-parents.pdf": (
        lambda: pdf_file({**PAGE_TREE, 2: b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2>>", 4: b"<<>>"}),
        ANY,
    ),
    "deep.html": (lambda: b"<html>" + _nested(b"<div>", b"</div>", 100_000), ANY),
    "deep-lists.html": (lambda: b"<html>" + _nested(b"<ul><li>", b"", 100_000), ANY),
    "deep-tables.html": (lambda: b"<html>" + _nested(b"<table><tr><td>", b"", 20_000), ANY),
    "wide-table.html": (lambda: b"<html>" + WIDE_TABLE, ANY),
    "deep.rtf": (lambda: b"{\\rtf1 " + _nested(b"{\\b ", b"}", 200_000) + b"}", ANY),
    "deep.eml": (lambda: b"Subject: fire\nContent-Type: multipart/mixed; boundary=a\n\n" + b"--a\n" * 100_000, ANY),
    "wide.csv": (lambda: b"fire," * 50_000 + b"\n1\n", ANY),
    "quotes.csv": (lambda: b'"' * 500_001, ANY),
    "letters.md": (lambda: b"a\n\n" * 100_000, _only(SEARCHABLE)),
    "one-line.md": (lambda: b"fire " * 100_000, _only(SEARCHABLE)),
    "deep.md": (lambda: b">" * 500_000 + b" fire", _only(SEARCHABLE)),
    "marks.txt": (("fire" + "\u0301\u0323" * 100_000).encode, _only(SEARCHABLE)),
    "controls.txt": (lambda: b"fire \x1b]0;owned\x07 \x1b[2J water \xe2\x80\xae reversed", _only(SEARCHABLE)),
    "zeros.pdf": (lambda: bytes(1000), _only("type_mismatch")),
    "zeros.txt": (lambda: bytes(1000), _only("type_mismatch")),
    "zeros.docx": (lambda: bytes(1000), _only("type_mismatch")),
    "zeros": (lambda: bytes(1000), _only("unsupported")),
    "nothing.pdf": (lambda: b"", _only("empty_file")),
    "only-zeros-behind.pdf": (lambda: b"%PDF-1.7" + bytes(100_000), ANY),
    "two-in-one.pdf": (lambda: pdf("fire") + docx("water"), _only("polyglot")),
    "page-in-one.pdf": (lambda: b"<html><body>water</body></html>" + pdf("fire"), _only("polyglot")),
    "program.pdf": (lambda: b"MZ" + pdf("fire"), _only("polyglot")),
    "disguised.docx": (lambda: pdf("fire"), _only("type_mismatch")),
}

SAMPLES: Mapping[str, Callable[[], bytes]] = {
    "sample.pdf": lambda: pdf(*paragraphs(3)),
    "sample.docx": lambda: docx(*paragraphs(40)),
    "sample.ods": lambda: open_document(FileType.ODS, f"<office:spreadsheet>{ONE_CELL}</office:spreadsheet>"),
    "sample.xlsx": lambda: _sheet('<row r="1"><c r="A1"><v>1</v></c></row>'),
    "sample.rtf": lambda: b"{\\rtf1\\ansi " + b"\\par ".join(map(str.encode, paragraphs(20))) + b"}",
    "sample.html": lambda: b"<html>" + b"".join(b"<p>" + each.encode() for each in paragraphs(20)),
}

NAMES = (
    "../../../etc/passwd.md",
    "..\\..\\windows\\system32\\policy.md",
    "/absolute/policy.md",
    "policy\u202efdp.md",
    "policy\x00.md",
    "policy\n\x1b[2J.md",
    "\u200b\u2066.md",
    "caf\udce9.md",
    "é" * 5000 + ".md",
    "$(reboot)`reboot`;'--.md",
    "CON.md",
)
"""Of harmless documents."""


def hostile_files() -> Iterator[HostileFile]:
    for name, (make, outcomes) in MADE.items():
        yield HostileFile(name, make(), outcomes)
    for name, make in SAMPLES.items():
        whole = make()
        for tenth in range(1, 10):
            yield HostileFile(f"cut-{tenth}-{name}", whole[: len(whole) * tenth // 10], ANY)
        for seed in range(6):
            yield HostileFile(f"flipped-{seed}-{name}", flipped(whole, seed), ANY)


def flipped(content: bytes, seed: int) -> bytes:
    """With one bit in a thousand turned, in at least three places."""
    random, changed = Random(seed), bytearray(content)  # noqa: S311  (the same flips in every run)
    for _ in range(max(3, len(content) // 1000)):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)
