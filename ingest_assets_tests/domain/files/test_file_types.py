import re
from zipfile import ZIP_BZIP2, ZIP_LZMA, ZIP_STORED

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.errors import IngestError, PermanentError
from ingest_assets.domain.files.compound_files import root_names
from ingest_assets.domain.files.containers import MOST_ENTRIES
from ingest_assets.domain.files.file_types import SAME_PROGRAM, TYPE_BY_EXTENSION, FileType, recognise
from ingest_assets_tests.sample_files import (
    CONTENT_TYPES,
    SHEETS,
    SLIDES,
    compound,
    docx,
    office,
    ole2,
    open_document,
    pdf,
    with_encrypted_flag,
    with_offset_beyond_all_files,
    zipped,
)

REFUSALS = {
    "empty_file",
    "unsupported",
    "type_mismatch",
    "encrypted",
    "corrupt",
    "bomb",
    "polyglot",
    "external_reference",
}
TEXT = b"This policy covers fire."
BINARY = bytes(range(256)) * 4
LAST_USER = b"\x00\x00\xf6\x0f\x14\x00\x00\x00\x14\x00\x00\x00"
"""The beginning of the atom of a presentation that says who opened it last; a token follows."""


def binary_workbook() -> bytes:
    kind = "application/vnd.ms-excel.sheet.binary.macroEnabled.main"
    return zipped({CONTENT_TYPES: f'<Types><Override PartName="/xl/workbook.bin" ContentType="{kind}"/></Types>'})


SAMPLES = {
    FileType.PDF: pdf("cover"),
    FileType.DOCX: docx("cover"),
    FileType.PPTX: office(SLIDES),
    FileType.XLSX: office(SHEETS),
    FileType.ODT: open_document(FileType.ODT),
    FileType.ODS: open_document(FileType.ODS),
    FileType.EPUB: open_document(FileType.EPUB),
    FileType.ODP: open_document(FileType.ODP),
    FileType.XLSB: binary_workbook(),
    FileType.DOC: ole2("Root Entry", "1Table", "WordDocument"),
    FileType.XLS: ole2("Root Entry", "Workbook"),
    FileType.PPT: ole2("Root Entry", "PowerPoint Document"),
    FileType.RTF: b"{\\rtf1 cover}",
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_binary_content_tells_what_it_is_under_its_own_extension_none_or_an_unknown_one(kind: FileType) -> None:
    names = [*(f"policy.{extension}" for extension in kind.extensions), "POLICY." + kind.extensions[0].upper()]

    assert {recognise(SAMPLES[kind], name) for name in [*names, "policy", "policy.bak", ""]} == {kind}


@pytest.mark.parametrize("kind", SAMPLES)
@pytest.mark.parametrize("extension", ["pdf", "docx", "xlsx", "doc", "txt", "md", "html"])
def test_an_extension_that_contradicts_the_content_is_a_mismatch(kind: FileType, extension: str) -> None:
    if extension in kind.extensions or kind in SAME_PROGRAM.get(TYPE_BY_EXTENSION[extension], ()):
        return
    error = refusal(SAMPLES[kind], f"policy.{extension}")

    assert error.code == "type_mismatch"
    assert kind.name in error.message
    assert TYPE_BY_EXTENSION[extension].name in error.message


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("letter.doc", SAMPLES[FileType.RTF], FileType.RTF),
        ("letter.doc", SAMPLES[FileType.DOCX], FileType.DOCX),
        ("letter.doc", b"<html xmlns:w='urn:schemas-microsoft-com:office:word'><p>cover", FileType.HTML),
        ("letter.docx", SAMPLES[FileType.DOC], FileType.DOC),
        ("claims.xls", b"<table><tr><td>cover", FileType.HTML),
        ("claims.xls", "Number\tAmount\r\n1\t12,50\r\n".encode("utf-16"), FileType.CSV),
        ("claims.xls", b"Number;Amount\n1;12,50\n", FileType.CSV),
        ("claims.xls", SAMPLES[FileType.XLSX], FileType.XLSX),
        ("claims.xlsx", SAMPLES[FileType.XLS], FileType.XLS),
        ("talk.ppt", SAMPLES[FileType.PPTX], FileType.PPTX),
        ("photo.jpg", b"\x89PNG\r\n\x1a\n" + BINARY, FileType.PNG),
    ],
)
def test_what_the_extension_s_program_opens_is_read_as_what_it_is(name: str, content: bytes, kind: FileType) -> None:
    assert recognise(content, name) is kind


@pytest.mark.parametrize("content", [TEXT, b"<?xml version='1.0'?><Workbook>a;b</Workbook>", pdf("cover")])
def test_what_no_spreadsheet_is_stays_a_mismatch(content: bytes) -> None:
    assert refusal(content, "claims.xls").code == "type_mismatch"


@pytest.mark.parametrize(
    ("extension", "kind"),
    [
        ("txt", FileType.TEXT),
        ("md", FileType.MARKDOWN),
        ("csv", FileType.CSV),
        ("html", FileType.HTML),
        ("eml", FileType.EML),
    ],
)
def test_among_texts_the_extension_decides(extension: str, kind: FileType) -> None:
    assert recognise(TEXT, f"policy.{extension}") is kind
    assert recognise(b"<html><p>" + TEXT, f"policy.{extension}") is kind


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (TEXT, FileType.TEXT),
        ("Prämie".encode("utf-16"), FileType.TEXT),
        (b"<!DOCTYPE html><p>cover", FileType.HTML),
        (b"<?xml version='1.0'?>\n<!-- x -->\n<HTML lang='en'>", FileType.HTML),
        (b"Write <html> first", FileType.TEXT),
    ],
)
def test_a_text_without_extension_is_plain_unless_it_begins_as_html(content: bytes, kind: FileType) -> None:
    assert recognise(content, "policy") is kind


@pytest.mark.parametrize("name", ["policy.xyz", "policy.py", ".env"])
def test_a_text_of_an_unknown_extension_is_unsupported(name: str) -> None:
    assert refusal(TEXT, name).code == "unsupported"


@pytest.mark.parametrize("name", ["policy", "policy.bin", "policy."])
@pytest.mark.parametrize("content", [BINARY, zipped({"a": "b"}), ole2("Contents"), b"PK\x03\x04" + BINARY])
def test_unknown_content_is_unsupported(content: bytes, name: str) -> None:
    assert refusal(content, name).code == "unsupported"


@pytest.mark.parametrize("name", ["policy.pdf", "policy.docx", "policy.txt", "policy.html"])
def test_content_of_no_known_kind_contradicts_an_extension(name: str) -> None:
    assert refusal(BINARY, name).code == "type_mismatch"


def test_an_empty_file_is_refused() -> None:
    assert refusal(b"", "policy.pdf").code == "empty_file"


def test_a_pdf_may_begin_behind_other_bytes() -> None:
    assert recognise(b"\x00junk\n" + pdf("cover"), "policy") is FileType.PDF
    assert recognise(b"junk\n" + pdf("cover"), "policy.pdf") is FileType.PDF


def test_a_text_that_speaks_of_pdf_is_a_text() -> None:
    assert recognise(b"A file begins with %PDF-1.7.", "notes.md") is FileType.MARKDOWN


def test_html_may_name_an_encoding_that_is_not_guessed() -> None:
    content = '<meta charset="shift_jis"><p>保険'.encode("shift_jis")

    assert recognise(content, "policy.html") is FileType.HTML


@pytest.mark.parametrize(
    "content",
    [
        ole2("Root Entry", "EncryptionInfo", "EncryptedPackage"),
        ole2("Root Entry", "WordDocument", word_flags=0x0100),
        ole2("Root Entry", "PowerPoint Document") + LAST_USER + b"\xdf\xc4\xd1\xf3",
        with_encrypted_flag(docx("cover"), "word/document.xml"),
        open_document(FileType.ODT, manifest="<manifest:encryption-data/>"),
        zipped({"mimetype": FileType.EPUB, "META-INF/encryption.xml": '<EncryptionMethod Algorithm="http://x/aes"/>'}),
    ],
)
def test_what_needs_a_password_is_encrypted(content: bytes) -> None:
    assert refusal(content, "policy").code == "encrypted"


def test_a_presentation_that_anybody_may_open_is_not_encrypted() -> None:
    content = ole2("Root Entry", "PowerPoint Document") + LAST_USER + b"\x5f\xc0\x91\xe3"

    assert recognise(content, "guide.ppt") is FileType.PPT


@pytest.mark.parametrize(
    ("inside", "outside"),
    [("WordDocument", "Workbook"), ("Workbook", "WordDocument"), ("WordDocument", "__properties_version1.0")],
)
def test_a_document_is_what_it_is_and_not_what_is_embedded_in_it(inside: str, outside: str) -> None:
    expected = {"Workbook": FileType.XLS, "WordDocument": FileType.DOC, "__properties_version1.0": FileType.MSG}

    assert recognise(compound({outside: {}, "Embedded": {inside: {}}}), "policy") is expected[outside]


@given(st.binary(max_size=40), st.integers(0, 2000))
def test_a_damaged_directory_is_read_in_bounded_time(junk: bytes, at: int) -> None:
    content = compound({"Workbook": {}, "Embedded": {"WordDocument": {}}})
    root_names(content[:at] + junk + content[at + len(junk) :])


def test_a_book_with_hidden_fonts_is_not_encrypted() -> None:
    fonts = '<enc:EncryptionMethod Algorithm="http://www.idpf.org/2008/embedding"/>'

    assert (
        recognise(zipped({"mimetype": FileType.EPUB, "META-INF/encryption.xml": fonts}), "book.epub") is FileType.EPUB
    )


@pytest.mark.parametrize(
    "content",
    [
        docx("a" * 3_000_000),
        zipped({CONTENT_TYPES: "", **{f"part{number}": "" for number in range(MOST_ENTRIES)}}),
    ],
    ids=["compression", "entries"],
)
def test_a_package_that_unpacks_to_too_much_is_a_bomb(content: bytes) -> None:
    assert refusal(content, "policy.docx").code == "bomb"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("repeated", ["<EncryptionMethod ", "EncryptionMethod Algorithm=", "encryption-data"[:-1]])
def test_a_package_s_own_parts_are_searched_in_linear_time(repeated: str) -> None:
    hostile = {"META-INF/encryption.xml": repeated * 60_000, "META-INF/manifest.xml": repeated * 60_000}

    assert recognise(zipped({"mimetype": FileType.EPUB, **hostile}, ZIP_STORED), "book.epub") is FileType.EPUB


@pytest.mark.parametrize(
    "content",
    [
        with_offset_beyond_all_files(zipped({"mimetype": FileType.EPUB})),
        zipped({"mimetype": FileType.EPUB * 9}, ZIP_LZMA).replace(b"\x5d\x00\x00", b"\xff\xff\xff"),
        zipped({"mimetype": FileType.EPUB * 9}, ZIP_BZIP2).replace(b"BZh9", b"BZh0"),
        zipped({"mimetype": FileType.EPUB * 9}).replace(b"\x08\x00", b"\x63\x00"),
    ],
    ids=["offset", "lzma", "bzip2", "unknown method"],
)
def test_a_package_that_cannot_be_read_is_corrupt(content: bytes) -> None:
    assert refusal(content, "book.epub").code == "corrupt"
    assert refusal(content, "book").code == "unsupported"


def test_a_package_cut_short_is_corrupt_where_its_extension_promises_one() -> None:
    assert refusal(docx("cover")[:200], "policy.docx").code == "corrupt"


@given(
    st.sampled_from([b"", b"%PDF-", b"PK\x03\x04", *SAMPLES.values()]),
    st.binary(max_size=200),
    st.integers(0, 2000),
    st.sampled_from(["", "policy", *(f"policy.{extension}" for extension in TYPE_BY_EXTENSION)]) | st.text(),
)
def test_whatever_is_submitted_is_recognised_or_refused_by_the_catalogue(
    sample: bytes, junk: bytes, at: int, name: str
) -> None:
    content = sample[:at] + junk + sample[at + len(junk) :]
    assert verdict(content, name) in {*FileType, *REFUSALS}


def test_no_error_shows_the_file_s_name_or_content() -> None:
    for content in [b"", BINARY, TEXT, docx("cover")[:200]]:
        error = refusal(content, "jane-doe-diagnosis.pdf")
        assert not re.search("jane|policy|fire", error.message + error.hint.lower())


def verdict(content: bytes, name: str) -> str:
    try:
        return recognise(content, name)
    except IngestError as error:
        return error.code


def refusal(content: bytes, name: str) -> PermanentError:
    with pytest.raises(PermanentError) as refused:
        recognise(content, name)
    return refused.value
