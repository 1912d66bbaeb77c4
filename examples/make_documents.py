"""Makes the example documents from the texts in sources/: the same bytes every time.

Usage: .venv/bin/python examples/make_documents.py [FOLDER]
"""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from html import escape
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from docx import Document
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Flowable, ListFlowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

SOURCES = Path(__file__).parent / "sources"
DOCUMENTS = Path(__file__).parent / "documents"
PUBLISHER = "Harrowmere Mutual"
PUBLISHED = datetime(2026, 1, 2)  # noqa: DTZ001
FIRST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
STYLES = getSampleStyleSheet()
GRID = TableStyle([("GRID", (0, 0), (-1, -1), 0.5, colors.grey), ("FONT", (0, 0), (-1, 0), "Helvetica-Bold")])


@dataclass(frozen=True)
class Heading:
    level: int
    text: str


@dataclass(frozen=True)
class Prose:
    text: str


@dataclass(frozen=True)
class Items:
    texts: list[str]
    numbered: bool


@dataclass(frozen=True)
class Rows:
    cells: list[list[str]]


Block = Heading | Prose | Items | Rows


def blocks(markdown: str) -> Iterator[Block]:
    """Of the little Markdown that the sources use; blank lines part the blocks."""
    for part in markdown.strip().split("\n\n"):
        lines = part.splitlines()
        if part.startswith("#"):
            hashes, text = part.split(" ", 1)
            yield Heading(len(hashes), text)
        elif part.startswith("|"):
            yield Rows([[cell.strip() for cell in line.strip("|").split("|")] for line in (lines[0], *lines[2:])])
        elif re.match(r"- |1\. ", part):
            yield Items([line.split(" ", 1)[1] for line in lines], numbered=part[0] == "1")
        else:
            yield Prose(part)


def title(markdown: str) -> str:
    return markdown.partition("\n")[0].removeprefix("# ")


def pdf(markdown: str) -> bytes:
    """Uncompressed, so that the bytes do not depend on a version of zlib."""
    file = BytesIO()
    template = SimpleDocTemplate(
        file, pagesize=A4, title=title(markdown), author=PUBLISHER, invariant=1, pageCompression=0
    )
    template.build([flowable for block in blocks(markdown) for flowable in flowables(block)])
    return file.getvalue()


def flowables(block: Block) -> list[Flowable]:
    match block:
        case Heading(level, text):
            return [Paragraph(escape(text), STYLES[f"Heading{level}"])]
        case Prose(text):
            return [Paragraph(escape(text), STYLES["BodyText"])]
        case Items(texts, numbered):
            items = [Paragraph(escape(text), STYLES["BodyText"]) for text in texts]
            return [ListFlowable(items, bulletType="1" if numbered else "bullet", start="1" if numbered else "-")]
        case Rows(cells):
            return [Table(cells, hAlign="LEFT", repeatRows=1, style=GRID), Spacer(1, 8)]


def docx(markdown: str) -> bytes:
    document = Document()
    properties = document.core_properties
    properties.author = properties.last_modified_by = PUBLISHER
    properties.created = properties.modified = PUBLISHED
    properties.comments = ""
    for block in blocks(markdown):
        match block:
            case Heading(level, text):
                document.add_heading(text, level)
            case Prose(text):
                document.add_paragraph(text)
            case Items(texts, numbered):
                for text in texts:
                    document.add_paragraph(text, "List Number" if numbered else "List Bullet")
            case Rows(cells):
                table = document.add_table(len(cells), len(cells[0]), "Table Grid")
                for row, texts in zip(table.rows, cells, strict=True):
                    for cell, text in zip(row.cells, texts, strict=True):
                        cell.text = text
    file = BytesIO()
    document.save(file)
    return without_dates(file)


def without_dates(archive: BytesIO) -> bytes:
    """The archive as if all its parts had been written at the first moment that ZIP knows."""
    file = BytesIO()
    with ZipFile(archive) as dated, ZipFile(file, "w", ZIP_DEFLATED) as undated:
        for name in dated.namelist():
            undated.writestr(ZipInfo(name, FIRST_ZIP_DATE), dated.read(name), ZIP_DEFLATED)
    return file.getvalue()


def html(markdown: str) -> bytes:
    head = f'<head>\n<meta charset="utf-8">\n<title>{escape(title(markdown))}</title>\n</head>'
    body = "\n".join(map(element, blocks(markdown)))
    return f'<!DOCTYPE html>\n<html lang="en">\n{head}\n<body>\n{body}\n</body>\n</html>\n'.encode()


def element(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"<h{level}>{escape(text)}</h{level}>"
        case Prose(text):
            return f"<p>{escape(text)}</p>"
        case Items(texts, numbered):
            tag = "ol" if numbered else "ul"
            return f"<{tag}>\n" + "\n".join(f"<li>{escape(text)}</li>" for text in texts) + f"\n</{tag}>"
        case Rows(cells):
            header, *rows = cells
            return "\n".join(["<table>", row("th", header), *(row("td", texts) for texts in rows), "</table>"])


def row(tag: str, cells: list[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"


FORMATS: dict[str, Callable[[str], bytes]] = {
    "health-plan-summary.pdf": pdf,
    "motor-policy.docx": docx,
    "claims-handbook.html": html,
    "household-contents-faq.md": str.encode,
    "insurance-glossary.md": str.encode,
}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, render in FORMATS.items():
        source = SOURCES / Path(name).with_suffix(".md").name
        (folder / name).write_bytes(render(source.read_text(encoding="utf-8")))
        print(folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DOCUMENTS)
