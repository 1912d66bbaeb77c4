"""No office file that an honest program has written is refused."""

from pathlib import Path

import pytest

from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.files.file_types import FileType, recognise
from ingest_assets.domain.files.part_names import shown_name
from ingest_assets_tests.conftest import CORPUS
from ingest_assets_tests.domain.files.test_packages import DOCTYPE, ENTITY, XML, refusal, related
from ingest_assets_tests.honest_files import HONEST, OFFICE_PROGRAM, converted
from ingest_assets_tests.sample_files import CONTENT_TYPES, SLIDES, WORD, office, open_document

PLIST = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n'
    '<plist version="1.0"><dict/></plist>'
)
RELATED = "ppt/_rels/presentation.xml.rels"
MANIFEST = (
    '<?xml version="1.0"?><!DOCTYPE manifest:manifest PUBLIC "-//OpenOffice.org//DTD Manifest 1.0//EN" "Manifest.dtd">'
)


def to_printer_settings(target: str = "printerSettings/printerSettings1.bin", kind: str = "printerSettings") -> str:
    return related(kind, target, mode="Internal")


def with_printer_settings(settings: str, relationships: str, **more: str) -> bytes:
    parts = {"ppt/printerSettings/printerSettings1.bin": settings, RELATED: relationships}
    return office(SLIDES, parts | {name.replace("__", "/"): text for name, text in more.items()})


@pytest.mark.parametrize("name", HONEST)
def test_what_libraries_write_comes_in(name: str) -> None:
    recognise(HONEST[name](), name)


@pytest.mark.skipif(OFFICE_PROGRAM is None, reason="LibreOffice is not here: none of its files was tried")
@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("python-docx.docx", "docx"),
        ("python-docx.docx", "odt"),
        ("python-docx.docx", "rtf"),
        ("python-docx.docx", "doc"),
        ("python-pptx.pptx", "pptx"),
        ("openpyxl.xlsx", "xlsx"),
        ("xlsxwriter.xlsx", "ods"),
        ("openpyxl.xlsx", "xls"),
        ("python-pptx.pptx", "ppt"),
        ("python-pptx.pptx", "odp"),
    ],
)
def test_what_libreoffice_writes_comes_in(tmp_path: Path, name: str, target: str) -> None:
    recognise(converted(HONEST[name](), name, target, tmp_path), f"policy.{target}")


def test_the_office_files_of_the_corpus_come_in() -> None:
    files = [path for folder in ("formats", "cases", "hostile") for path in (CORPUS / folder).glob("*.[dpxor]*")]
    office_files = [path for path in files if path.suffix in {".docx", ".pptx", ".xlsx", ".odt", ".rtf", ".doc"}]
    if not office_files:
        pytest.skip("../shared/corpus is not here: its office files were not tried")
    refused = {}
    for path in office_files:
        try:
            recognise(path.read_bytes(), path.name)
        except PermanentError as error:
            refused[path.name] = error.code

    assert refused == {"password_protected.xlsx": "encrypted"}


@pytest.mark.parametrize("header", ["", "\x00\x00\x00\x01\x02\x00"])
def test_printer_settings_of_a_mac_come_in(header: str) -> None:
    content = with_printer_settings(header + PLIST, to_printer_settings())

    assert recognise(content, "guide.pptx") is FileType.PPTX


@pytest.mark.parametrize(
    "content",
    [
        with_printer_settings(PLIST, related("hyperlink", "https://insurer.example")),
        with_printer_settings(PLIST, to_printer_settings(kind="slide")),
        with_printer_settings(PLIST, to_printer_settings(), **{"ppt__slides___rels__a.rels": to_printer_settings(
            "../PrinterSettings/printer%53ettings1.BIN", "slide")}),
        with_printer_settings(PLIST, to_printer_settings() + "<"),
        with_printer_settings(PLIST, to_printer_settings(), **{"word__settings.xml": DOCTYPE}),
        office(SLIDES, {"ppt/presProps.xml": PLIST, RELATED: to_printer_settings("presProps.xml")}),
    ],
    ids=["no relationship", "another kind", "another relationship too", "no XML", "another part", "named as XML"],
)  # fmt: skip
def test_what_might_be_read_as_a_part_is_refused_if_it_declares_a_type(content: bytes) -> None:
    assert refusal(content, "guide.pptx") == "corrupt"


@pytest.mark.parametrize(
    "declared",
    [
        '<Default Extension="BIN" ContentType="application/xml"/>',
        '<Override PartName="/ppt/printerSettings/PrinterSettings1.bin" ContentType="application/x+xml"/>',
    ],
)
def test_what_is_declared_as_xml_is_no_printer_settings(declared: str) -> None:
    main = (
        '<Override PartName="/ppt/presentation.xml" ContentType="application/vnd.ms-powerpoint.presentation.main+xml"/>'
    )
    parts = {"ppt/printerSettings/printerSettings1.bin": PLIST, RELATED: to_printer_settings()}
    content = office(SLIDES, parts | {CONTENT_TYPES: f"<Types>{main}{declared}</Types>"})

    assert refusal(content, "guide.pptx") == "corrupt"


def test_printer_settings_declare_no_entities() -> None:
    assert refusal(with_printer_settings(XML + ENTITY, to_printer_settings()), "guide.pptx") == "bomb"


def test_a_page_that_a_document_takes_in_may_say_that_it_is_html() -> None:
    parts = {
        "word/page.html": "<!DOCTYPE html><p>fire",
        "word/_rels/document.xml.rels": related("aFChunk", "page.html", "Internal"),
    }

    assert recognise(office(WORD, parts), "policy.docx") is FileType.DOCX


def test_an_old_manifest_of_open_document_comes_in_but_its_text_declares_nothing() -> None:
    assert recognise(open_document(FileType.ODT, manifest=MANIFEST), "policy.odt") is FileType.ODT
    assert refusal(open_document(FileType.ODT, body="<!DOCTYPE x>"), "policy.odt") == "corrupt"
    assert refusal(open_document(FileType.ODT, manifest=DOCTYPE), "policy.odt") == "corrupt"
    assert refusal(open_document(FileType.ODT, manifest=ENTITY), "policy.odt") == "bomb"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("word/document.xml", "word/document.xml"),
        ("ppt/slides/_rels/slide12.xml.rels", "ppt/slides/_rels/slide12.xml.rels"),
        ("[Content_Types].xml", "Content_Types.xml"),
        ("word/media/Jane Doe, diagnosis.png", "word/media/<other>"),
        ("xl/embeddings/jane.doe.xml", "xl/embeddings/<other>"),
        ("a/" * 1000, "<other>/<other>/<other>/<other>/<other>"),
        ("word/\x1b[2J\n.xml", "word/<other>"),
        ("", ""),
    ],
)
def test_a_part_is_shown_by_what_office_programs_call_it(name: str, shown: str) -> None:
    assert shown_name(name) == shown


def test_a_refusal_names_the_part() -> None:
    with pytest.raises(PermanentError, match=r"Its part word/settings\.xml is why\."):
        recognise(office(WORD, {"word/settings.xml": XML + DOCTYPE}), "policy.docx")
    hostile = related("attachedTemplate", "http://web.example")
    with pytest.raises(PermanentError, match=r"Its part word/_rels/settings\.xml\.rels is why\."):
        recognise(office(WORD, {"word/_rels/settings.xml.rels": hostile}), "policy.docx")
