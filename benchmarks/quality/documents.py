"""Documents that programs of several makers write, and what must be read of each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from io import BytesIO

from docx import Document as WordDocument
from openpyxl import Workbook
from openpyxl.comments import Comment
from pptx import Presentation
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph, SimpleDocTemplate, Table

from benchmarks.quality.known import Known, known
from ingest_assets_tests.scans import as_file, as_pdf, typed

STYLES = getSampleStyleSheet()


@dataclass(frozen=True, slots=True)
class Sample:
    """A document, and what is written in it."""

    kind: str
    name: str
    content: bytes
    phrases: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = ()
    """Rows whose cells must stay together, in order."""
    ordered: tuple[str, ...] = field(default=())
    """Phrases that must come one after the other."""


Maker = Callable[[Known], tuple[str, bytes, Sample]]


def samples(seeds: Sequence[int]) -> Iterator[Sample]:
    for seed in seeds:
        content = known(seed)
        for kind, (extension, make) in MAKERS.items():
            phrases, rows, ordered = EXPECTED[kind](content)
            yield Sample(kind, f"{kind} {seed}.{extension}", make(content), phrases, rows, ordered)


def prose_pdf(content: Known) -> bytes:
    file = BytesIO()
    SimpleDocTemplate(file).build([Paragraph(text, STYLES["Normal"]) for text in content.paragraphs])
    return file.getvalue()


def columns_pdf(content: Known) -> bytes:
    file = BytesIO()
    document = BaseDocTemplate(file, pagesize=(595, 420))
    frames = [Frame(60, 40, 220, 340), Frame(315, 40, 220, 340)]
    document.addPageTemplates([PageTemplate(frames=frames)])
    document.build([Paragraph(text, STYLES["Normal"]) for text in content.paragraphs])
    return file.getvalue()


def table_pdf(content: Known) -> bytes:
    """A table without rules, as most are."""
    file = BytesIO()
    SimpleDocTemplate(file).build([Table([list(row) for row in content.rows])])
    return file.getvalue()


def form_pdf(content: Known) -> bytes:
    file = BytesIO()
    canvas = Canvas(file)
    for number, (label, value) in enumerate(content.fields):
        height = 760 - 40 * number
        canvas.drawString(72, height, label)
        canvas.acroForm.textfield(name=f"field{number}", value=value, x=220, y=height - 6, width=260, height=20)
    canvas.save()
    return file.getvalue()


def scanned_pdf(content: Known) -> bytes:
    return as_pdf(typed(_lines(content)))


def fax(content: Known) -> bytes:
    return as_file("TIFF", typed(_lines(content)).convert("1"), compression="group4", dpi=(200, 200))


def word(content: Known) -> bytes:
    document = WordDocument()
    document.sections[0].header.paragraphs[0].text = f"Policy {content.policy}"
    document.add_heading("Report of a loss", 1)
    for text in content.paragraphs:
        document.add_paragraph(text)
    for clause in content.clauses:
        document.add_paragraph(clause, style="List Number")
    table = document.add_table(rows=0, cols=len(content.rows[0]))
    for row in content.rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    remarked = document.paragraphs[1]
    document.add_comment(remarked.runs, text=content.note, author="underwriter")
    return _saved(document.save)


def excel(content: Known) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Item", "Share", "Number", "Value"])
    for number, row in enumerate(content.rows[1:], 1):
        sheet.append([row[0], number / 40, number * 11, float(row[1])])
        sheet.cell(number + 1, 2).number_format = "0.0%"
        sheet.cell(number + 1, 3).number_format = "0000000"
        sheet.cell(number + 1, 4).number_format = "#,##0.00"
    sheet["A2"].comment = Comment(content.note, "underwriter")
    return _saved(book.save)


def slides(content: Known) -> bytes:
    presentation = Presentation()
    for text in content.paragraphs[:4]:
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = text.split(" is ")[0]
        slide.placeholders[1].text = text
    slide.notes_slide.notes_text_frame.text = content.note
    shape = presentation.slides.add_slide(presentation.slide_layouts[6]).shapes.add_table(
        len(content.rows), len(content.rows[0]), 0, 0, 9_000_000, 4_000_000
    )
    for line, row in enumerate(content.rows):
        for column, text in enumerate(row):
            shape.table.cell(line, column).text = text
    return _saved(presentation.save)


def mail(content: Known) -> bytes:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Loss", "broker@example.invalid", "claims@example.invalid"
    message.set_content(content.paragraphs[0])
    style = "<style>p { color: crimson }</style>"
    message.add_alternative(f"<html><head>{style}</head><p>{content.paragraphs[0]}</p></html>", subtype="html")
    inner = EmailMessage()
    inner["Subject"] = "Original notice"
    inner.set_content(content.paragraphs[1])
    message.add_attachment(inner)
    message.add_attachment(prose_pdf(content), maintype="application", subtype="pdf", filename="report.pdf")
    return message.as_bytes()


def web_page(content: Known) -> bytes:
    rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in content.rows)
    text = "".join(f"<p>{paragraph}</p>" for paragraph in content.paragraphs)
    return f"<html><head><style>p {{ color: crimson }}</style></head>{text}<table>{rows}</table></html>".encode()


def separated(content: Known) -> bytes:
    lines = ["sep=;", *(";".join(row) for row in content.rows)]
    return b"\xef\xbb\xbf" + "\r\n".join(lines).encode()


def _lines(content: Known) -> list[str]:
    words = " ".join(content.paragraphs[:6]).split()
    lines = [""]
    for each in words:
        if len(lines[-1]) + len(each) > 80:
            lines.append("")
        lines[-1] = f"{lines[-1]} {each}".strip()
    return lines


def _saved(save: Callable[[BytesIO], object]) -> bytes:
    file = BytesIO()
    save(file)
    return file.getvalue()


Expected = tuple[tuple[str, ...], tuple[tuple[str, ...], ...], tuple[str, ...]]


def _starts(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(" ".join(text.split()[:6]) for text in texts)


def _prose(content: Known) -> Expected:
    return content.paragraphs, (), _starts(content.paragraphs)


def _scanned(content: Known) -> Expected:
    return content.paragraphs[:6], (), _starts(content.paragraphs[:6])


def _table(content: Known) -> Expected:
    return tuple(row[0] for row in content.rows), content.rows, ()


def _form(content: Known) -> Expected:
    return tuple(value for _, value in content.fields), content.fields, ()


def _word(content: Known) -> Expected:
    numbered = tuple(f"{number}. {clause}" for number, clause in enumerate(content.clauses, 1))
    return (*content.paragraphs, content.policy, content.note, *numbered), content.rows, _starts(content.paragraphs)


def _excel(content: Known) -> Expected:
    rows = tuple(
        (row[0], f"{number / 40:.1%}", f"{number * 11:07}", f"{float(row[1]):,.2f}")
        for number, row in enumerate(content.rows[1:], 1)
    )
    return (*(row[2] for row in rows), content.note), rows, ()


def _slides(content: Known) -> Expected:
    return (*content.paragraphs[:4], content.note), content.rows, _starts(content.paragraphs[:4])


def _mail(content: Known) -> Expected:
    return (*content.paragraphs[:2], *content.paragraphs[2:]), (), ()


def _web_page(content: Known) -> Expected:
    return content.paragraphs, content.rows, _starts(content.paragraphs)


MAKERS: dict[str, tuple[str, Callable[[Known], bytes]]] = {
    "pdf prose": ("pdf", prose_pdf),
    "pdf columns": ("pdf", columns_pdf),
    "pdf table": ("pdf", table_pdf),
    "pdf form": ("pdf", form_pdf),
    "pdf scan": ("pdf", scanned_pdf),
    "tiff fax": ("tiff", fax),
    "word": ("docx", word),
    "excel": ("xlsx", excel),
    "slides": ("pptx", slides),
    "mail": ("eml", mail),
    "web page": ("html", web_page),
    "csv": ("csv", separated),
}
EXPECTED: dict[str, Callable[[Known], Expected]] = {
    "pdf prose": _prose,
    "pdf columns": _prose,
    "pdf table": _table,
    "pdf form": _form,
    "pdf scan": _scanned,
    "tiff fax": _scanned,
    "word": _word,
    "excel": _excel,
    "slides": _slides,
    "mail": _mail,
    "web page": _web_page,
    "csv": _table,
}
