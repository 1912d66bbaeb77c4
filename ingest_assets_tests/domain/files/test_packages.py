"""What is looked for in a ZIP package before any parser sees it."""

from zipfile import ZIP_DEFLATED, ZIP_STORED

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.files.file_types import FileType, recognise
from ingest_assets.domain.files.packages import PIECE
from ingest_assets_tests.domain.files.test_file_types import REFUSALS, verdict
from ingest_assets_tests.sample_files import WORD, docx, office, open_document, with_declared_size

RELATIONSHIPS = "word/_rels/document.xml.rels"
TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
DOCTYPE = '<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd"><x/>'
ENTITY = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><x>&a;</x>'
XML = '<?xml version="1.0"?>'


def related(kind: str, target: str, mode: str = "External") -> str:
    relationship = f'<r:Relationship Id="r9" Type="{TYPES}/{kind}" Target="{target}" TargetMode="{mode}"/>'
    return f'{XML}<r:Relationships xmlns:r="http://schemas.openxmlformats.org/package">{relationship}</r:Relationships>'


def refusal(content: bytes, name: str = "policy.docx") -> str:
    with pytest.raises(PermanentError) as refused:
        recognise(content, name)
    return refused.value.code


@pytest.mark.parametrize("name", ["word/document.xml", "WORD/Settings.XML", "word/hidden.bin", "customXml/item1"])
@pytest.mark.parametrize(("declared", "code"), [(DOCTYPE, "corrupt"), (ENTITY, "bomb")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_a_declaration_in_any_part_is_refused(name: str, declared: str, code: str, encoding: str) -> None:
    assert refusal(office(WORD, {name: (XML + declared).encode(encoding)})) == code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
@pytest.mark.parametrize("cut", range(1, 10))
def test_a_declaration_is_found_where_two_pieces_meet(cut: int, encoding: str) -> None:
    whole = PIECE // len(" ".encode(encoding))
    document = XML.ljust(whole - cut) + DOCTYPE

    assert refusal(office(WORD, {"word/document.xml": document.encode(encoding)}, ZIP_STORED)) == "corrupt"


def test_a_page_of_a_book_may_declare_its_type_but_no_entity() -> None:
    page = open_document(FileType.EPUB, manifest="<!DOCTYPE html>")

    assert recognise(page, "book.epub") is FileType.EPUB
    assert refusal(open_document(FileType.EPUB, manifest=ENTITY), "book.epub") == "bomb"


def test_a_picture_may_declare_what_it_likes() -> None:
    assert recognise(office(WORD, {"word/media/logo.svg": XML + ENTITY}), "policy.docx") is FileType.DOCX


def test_what_a_package_unpacks_to_is_counted_and_not_believed() -> None:
    assert refusal(with_declared_size(docx("a" * 300_000), "word/document.xml", 10)) == "bomb"


@pytest.mark.parametrize("kind", ["attachedTemplate", "oleObject", "frame", "subDocument", "aFChunk"])
@pytest.mark.parametrize("target", ["https://web.example/x.dotm", "HTTP://web.example/x", " &#104;ttp://web.example"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_what_an_office_program_would_load_from_the_web_is_refused(kind: str, target: str, encoding: str) -> None:
    assert refusal(office(WORD, {RELATIONSHIPS: related(kind, target).encode(encoding)})) == "external_reference"


@pytest.mark.parametrize(
    "relationships",
    [
        related("hyperlink", "https://insurer.example/terms"),
        related("image", "https://insurer.example/logo.png"),
        related("attachedTemplate", "file:///C:\\Templates\\letter.dotm"),
        related("attachedTemplate", "file:///\\\\server\\templates\\letter.dotm"),
        related("oleObject", "embeddings/http.bin", mode="Internal"),
        "<no xml at all",
    ],
)
def test_links_and_what_only_points_away_are_no_reason_to_refuse(relationships: str) -> None:
    assert recognise(office(WORD, {RELATIONSHIPS: relationships}), "policy.docx") is FileType.DOCX


@given(
    st.dictionaries(
        st.sampled_from(["word/document.xml", RELATIONSHIPS, "mimetype", "a.svg", "META-INF/encryption.xml", "b"]),
        st.binary(max_size=60)
        | st.sampled_from([DOCTYPE, ENTITY, related("frame", "http://x"), FileType.EPUB]).map(str.encode),
    ),
    st.sampled_from([ZIP_STORED, ZIP_DEFLATED]),
    st.integers(0, 400),
    st.binary(max_size=8),
)
def test_every_package_is_recognised_or_refused_by_the_catalogue(
    parts: dict[str, bytes], compression: int, at: int, junk: bytes
) -> None:
    content = office(WORD, parts, compression)
    for name in ["policy.docx", "policy.epub", "policy"]:
        assert verdict(content, name) in {*FileType, *REFUSALS}
        assert verdict(content[:at] + junk + content[at + len(junk) :], name) in {*FileType, *REFUSALS}
