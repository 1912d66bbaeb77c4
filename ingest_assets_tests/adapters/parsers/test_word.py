"""Word documents are read as they are shown."""

import re
from io import BytesIO
from zipfile import ZipFile

import pytest

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.domain.files.file_types import FileType
from ingest_assets_tests.adapters.parsers.word_files import RELATED, item, level, numbering, paragraph, run, word
from ingest_assets_tests.contracts.parser_contract import parse
from ingest_assets_tests.sample_files import RELATIONSHIPS, zipped

INSERTED = '<w:ins w:id="1" w:author="a">{}</w:ins>'
DELETED = '<w:del w:id="2" w:author="a"><w:r><w:delText>gone</w:delText></w:r></w:del>'
BOX = '<w:fldChar w:fldCharType="begin"><w:ffData><w:checkBox>{}</w:checkBox></w:ffData></w:fldChar>'
CLAUSES = numbering(level(0, "decimal", "%1."), level(1, "decimal", "%1.%2"), level(2, "lowerRoman", "(%3)"))


def lines(parser: LocalParser, content: bytes) -> list[str]:
    return [line for line in parse(parser, content, FileType.DOCX).text.split("\n") if line]


def test_a_deleted_row_and_a_deleted_cell_are_gone(parser: LocalParser) -> None:
    def cell(text: str, change: str = "") -> str:
        return f"<w:tc><w:tcPr>{change}</w:tcPr>{paragraph(run(text))}</w:tc>"

    kept = f"<w:tr>{cell('Peril')}{cell('old', '<w:cellDel/>')}{cell('Rate')}</w:tr>"
    gone = f"<w:tr><w:trPr><w:del/></w:trPr>{cell('Flood')}{cell('2')}</w:tr>"

    assert lines(parser, word(f"<w:tbl>{kept}{gone}</w:tbl>")) == ["| Peril | Rate |", "| --- | --- |"]


def test_a_paragraph_whose_end_is_deleted_runs_on_into_the_next(parser: LocalParser) -> None:
    joined = "".join(paragraph(run(text), properties="<w:rPr><w:del/></w:rPr>") for text in ("The excess ", "is "))

    assert lines(parser, word(joined + paragraph(run("750.")))) == ["The excess is 750."]


def test_what_is_inserted_within_a_link_or_around_others_is_kept(parser: LocalParser) -> None:
    body = paragraph(INSERTED.format(run("Cover ") + DELETED + run("extends")), DELETED)

    assert lines(parser, word(body)) == ["Cover extends"]


def test_a_letter_that_is_written_in_parts_does_not_cost_the_tables(parser: LocalParser) -> None:
    cells = "".join(f"<w:tc>{paragraph(run(text))}</w:tc>" for text in ("Mu\u0308ller", "Rate"))

    assert lines(parser, word(f"<w:tbl><w:tr>{cells}</w:tr></w:tbl>"))[0] == "| Müller | Rate |"


def test_deleted_clauses_are_not_counted(parser: LocalParser) -> None:
    gone = item("gone").replace("<w:r>", "<w:del><w:r>").replace("</w:r>", "</w:r></w:del>")
    gone = gone.replace("</w:pPr>", "<w:rPr><w:del/></w:rPr></w:pPr>")

    assert lines(parser, word(item("Fire") + gone + item("Flood"), {"numbering": CLAUSES})) == ["1. Fire", "2. Flood"]


def test_numbers_belong_to_styles_and_those_that_they_are_based_on(parser: LocalParser) -> None:
    styles = (
        '<w:style w:type="paragraph" w:styleId="Clause"><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>'
        "</w:style>"
        '<w:style w:type="paragraph" w:styleId="Sub"><w:basedOn w:val="Clause"/></w:style>'
        '<w:style w:type="paragraph" w:styleId="Plain"><w:basedOn w:val="Sub"/>'
        '<w:pPr><w:numPr><w:numId w:val="0"/></w:numPr></w:pPr></w:style>'
    )
    levels = numbering(level(0, "decimal", "%1."), level(1, "decimal", "%1.%2", '<w:pStyle w:val="Sub"/>'))
    body = "".join(
        paragraph(run(text), properties=f'<w:pStyle w:val="{style}"/>')
        for text, style in [("Cover", "Clause"), ("Fire", "Sub"), ("Note", "Plain"), ("Flood", "Sub")]
    )

    shown = lines(parser, word(body, {"numbering": levels, "styles": styles}))

    assert shown == ["1. Cover", "1.1 Fire", "Note", "1.2 Flood"]


def test_a_heading_keeps_its_number_and_is_a_heading(parser: LocalParser) -> None:
    styles = (
        '<w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/>'
        '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr><w:outlineLvl w:val="0"/></w:pPr></w:style>'
    )
    heading = paragraph(run("Exclusions"), properties='<w:pStyle w:val="Heading1"/>')

    assert lines(parser, word(heading * 2, {"numbering": CLAUSES, "styles": styles})) == [
        "# 1. Exclusions",
        "# 2. Exclusions",
    ]


def test_lists_of_one_abstract_list_run_on_unless_one_begins_anew(parser: LocalParser) -> None:
    override = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride>'
    more = '<w:num w:numId="2"><w:abstractNumId w:val="0"/></w:num>'
    more += f'<w:num w:numId="3"><w:abstractNumId w:val="0"/>{override}</w:num>'
    body = item("a") + item("b", name="2") + item("c", name="3") + item("d", name="3")

    shown = lines(parser, word(body, {"numbering": numbering(level(0, "decimal", "%1."), more=more)}))

    assert shown == ["1. a", "2. b", "1. c", "2. d"]


def test_numbers_may_be_given_by_examples(parser: LocalParser) -> None:
    def form(value: str) -> str:
        return f'<w:lvl w:ilvl="0"><w:start w:val="7"/>{value}<w:lvlText w:val="No. %1"/></w:lvl>'

    choice = '<mc:Choice Requires="w14"><w:numFmt w:val="custom" w:format="001, 002, 003, ..."/></mc:Choice>'
    fallback = '<mc:Fallback><w:numFmt w:val="decimal"/></mc:Fallback>'
    levels = numbering(form(f"<mc:AlternateContent>{choice}{fallback}</mc:AlternateContent>"))

    assert lines(parser, word(item("Fire") + item("Flood"), {"numbering": levels})) == ["No. 007 Fire", "No. 008 Flood"]


def test_a_document_of_the_strict_standard_is_read_alike(parser: LocalParser) -> None:
    package = ZipFile(BytesIO(word(item("Fire"), {"numbering": CLAUSES})))
    strict = re.compile(r"http://schemas\.openxmlformats\.org/(officeDocument|wordprocessingml)/2006/(\w+)")
    parts = {
        name: strict.sub(r"http://purl.oclc.org/ooxml/\1/\2", package.read(name).decode())
        for name in package.namelist()
    }

    assert "purl" in parts["word/document.xml"]
    assert lines(parser, zipped(parts)) == ["1. Fire"]


def test_bullets_stay_bullets(parser: LocalParser) -> None:
    bullets = numbering(level(0, "bullet", "\uf0b7"), level(1, "bullet", "o"))
    styles = (
        '<w:style w:type="paragraph" w:styleId="B"><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
    )
    styled = paragraph(run("hail"), properties='<w:pStyle w:val="B"/>')

    shown = lines(parser, word(item("fire") + item("flood", 1) + styled, {"numbering": bullets, "styles": styles}))

    assert shown == ["- fire", "  - flood", "- hail"]


def test_heads_and_feet_of_all_sections_are_there_once(parser: LocalParser) -> None:
    def section(*ids: str) -> str:
        references = (f'<w:headerReference w:type="default" r:id="{each}"/>' for each in ids)
        return f"<w:sectPr>{''.join(references)}</w:sectPr>"

    head = paragraph(run("Policy HH-7730"))
    page = paragraph(run("Page "), '<w:fldSimple w:instr="PAGE">' + run("2") + "</w:fldSimple>")
    body = (
        paragraph(run("Cover."), properties=section("header1", "header2"))
        + paragraph(run("Rates."))
        + section("header3")
    )
    parts = {"header1": head, "header2": head + page, "header3": head + paragraph(run("Annex"))}

    assert lines(parser, word(body, parts)) == ["Policy HH-7730", "Annex", "Cover.", "Rates."]


def test_a_note_stands_behind_its_paragraph_also_in_a_table(parser: LocalParser) -> None:
    def noted(kind: str, number: int) -> str:
        return f'<w:r><w:{kind}Reference w:id="{number}"/></w:r>'

    def note(kind: str, number: int, text: str) -> str:
        return f'<w:{kind} w:id="{number}">{paragraph(run(text))}</w:{kind}>'

    body = paragraph(run("Bicycles"), noted("footnote", 7), run(" are covered."), noted("endnote", 2))
    body += f"<w:tbl><w:tr><w:tc>{paragraph(run('Boats'), noted('footnote', 9))}</w:tc></w:tr></w:tbl>"
    parts = {"footnotes": note("footnote", 7, "If locked.") + note("footnote", 9, "Not afloat.")}
    parts["endnotes"] = note("endnote", 2, "See annex.")

    assert lines(parser, word(body, parts)) == [
        "Bicycles[footnote 1] are covered.[endnote 1]",
        "Footnote 1: If locked.",
        "Endnote 1: See annex.",
        "| Boats[footnote 2] Footnote 2: Not afloat. |",
        "| --- |",
    ]


def test_what_is_referred_to_often_is_written_once(parser: LocalParser) -> None:
    reference = '<w:r><w:footnoteReference w:id="7"/></w:r>'
    note = f'<w:footnote w:id="7">{paragraph(run("Not afloat."))}</w:footnote>'

    text = parse(parser, word(paragraph(run("Boats"), reference * 5_000), {"footnotes": note}), FileType.DOCX).text

    assert text.count("Not afloat.") == 1


@pytest.mark.parametrize(
    ("sign", "shown"),
    [
        (BOX.format("<w:checked/>"), "☒"),
        (BOX.format('<w:default w:val="1"/>'), "☒"),
        (BOX.format('<w:default w:val="1"/><w:checked w:val="0"/>'), "☐"),
        ('<w:sym w:font="Wingdings" w:char="F0FE"/>', "☒"),
        ('<w:sym w:font="Symbol" w:char="F0B3"/>', "≥"),
    ],
)
def test_a_form_says_what_is_ticked(parser: LocalParser, sign: str, shown: str) -> None:
    end = '<w:r><w:fldChar w:fldCharType="end"/></w:r>' if "fldChar" in sign else ""

    assert lines(parser, word(paragraph(f"<w:r>{sign}</w:r>", end, run(" Third party")))) == [f"{shown} Third party"]


@pytest.mark.parametrize(
    ("chosen", "shown"), [('<w:result w:val="1"/>', "Storm"), ('<w:default w:val="2"/>', "Flood"), ("", "Fire")]
)
def test_a_form_says_what_was_chosen(parser: LocalParser, chosen: str, shown: str) -> None:
    entries = "".join(f'<w:listEntry w:val="{entry}"/>' for entry in ("Fire", "Storm", "Flood"))
    begin = f'<w:fldChar w:fldCharType="begin"><w:ffData><w:ddList>{chosen}{entries}</w:ddList></w:ffData></w:fldChar>'
    end = '<w:r><w:fldChar w:fldCharType="end"/></w:r>'

    assert lines(parser, word(paragraph(run("Cause: "), f"<w:r>{begin}</w:r>", end))) == [f"Cause: {shown}"]


def test_charts_and_drawn_lists_are_read_where_they_stand(parser: LocalParser) -> None:
    names = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    names += ' xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart"'

    def points(*values: str) -> str:
        return "".join(f'<c:pt idx="{at}"><c:v>{value}</c:v></c:pt>' for at, value in enumerate(values))

    series = (
        f"<c:tx>{points('Losses')}</c:tx><c:cat>{points('Hail', 'Storm')}</c:cat><c:val>{points('19', '21.4')}</c:val>"
    )
    title = "<c:title><a:p><a:r><a:t>Losses by </a:t></a:r><a:r><a:t>peril</a:t></a:r></a:p></c:title>"
    chart = f"<c:chartSpace {names}>{title}<c:ser>{series}</c:ser></c:chartSpace>"
    drawn = f"<dataModel {names}><a:p><a:r><a:t>Report first</a:t></a:r></a:p></dataModel>"
    body = paragraph(run("Before."), f'<w:r><w:drawing><c:chart {names} r:id="chart1"/></w:drawing></w:r>')
    body += paragraph('<w:r><w:drawing><g:relIds xmlns:g="urn:g" r:dm="diagramData1"/></w:drawing></w:r>')
    body += paragraph(run("Behind."))
    related = (
        f'<Relationships xmlns="{RELATIONSHIPS}"><Relationship Id="chart1" Type="{RELATED}/chart" Target="chart1.xml"/>'
        f'<Relationship Id="diagramData1" Type="{RELATED}/diagramData" Target="data1.xml"/></Relationships>'
    )
    extra = {"word/chart1.xml": chart, "word/data1.xml": drawn, "word/_rels/document.xml.rels": related}

    assert lines(parser, word(body, extra=extra)) == [
        "Before.",
        "Losses by peril",
        "Losses: Hail 19, Storm 21.4",
        "Report first",
        "Behind.",
    ]


def test_pictures_as_large_as_a_page_and_embedded_files_are_counted(parser: LocalParser) -> None:
    def picture(width: int, height: int) -> str:
        drawing = "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
        blip = '<a:blip xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"/>'
        extent = f'<d:extent cx="{width}" cy="{height}"/>'
        return f'<w:r><w:drawing><d:inline xmlns:d="{drawing}">{extent}{blip}</d:inline></w:drawing></w:r>'

    body = paragraph(run("See the scans."), picture(5_700_000, 8_000_000), picture(2_000_000, 500_000))
    parsed = parse(parser, word(body, {"package": "", "oleObject": ""}), FileType.DOCX)

    assert parsed.warnings == {"pictures_without_text": 1, "embedded_objects": 2}


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "body",
    [
        paragraph(run("a"), properties="<w:rPr><w:del/></w:rPr>") * 30_000,
        paragraph(INSERTED.format(run("a")) * 60_000),
        item("a") * 30_000,
        paragraph('<w:r><w:footnoteReference w:id="1"/></w:r>' * 60_000, run("fire")),
        "<mc:AlternateContent><mc:Choice>" * 60 + paragraph(run("a")) + "</mc:Choice></mc:AlternateContent>" * 60,
    ],
    ids=["joined paragraphs", "insertions", "clauses", "footnotes", "alternatives"],
)
def test_a_document_of_one_thing_many_times_is_read_long_before_a_quadratic_reader_would_be_done(
    parser: LocalParser, body: str
) -> None:
    assert parse(parser, word(body + paragraph(run("fire")), {"numbering": CLAUSES}), FileType.DOCX).text
