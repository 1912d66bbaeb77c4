"""Letters, reports and mails of an insurer that does not exist: the same bytes from the same number.

Each is about one claim, whose number stands in every paragraph, so no two documents share a chunk.
"""

import random
from collections.abc import Sequence
from email.message import EmailMessage
from io import BytesIO

from docx import Document
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

PERILS = ("storm", "hail", "burst pipe", "fire", "burglary", "flood", "lightning", "collision", "vandalism", "frost")
OBJECTS = (
    *("roof", "kitchen", "cellar", "windscreen", "fence", "greenhouse", "parquet floor", "heating", "garage door"),
    *("computer", "bicycle", "chimney", "facade", "bumper", "carpet", "boiler", "antenna", "balcony", "staircase"),
)
PARTIES = ("policyholder", "surveyor", "tenant", "neighbour", "workshop", "police", "broker", "landlord", "plumber")
ACTIONS = (
    *("inspected", "photographed", "reported", "repaired", "dismantled", "dried", "replaced", "secured", "estimated"),
    *("documented", "cleaned", "invoiced"),
)
TERMS = (
    *("deductible", "replacement value", "depreciation", "underinsurance", "gross negligence", "subrogation"),
    *("waiting period", "sum insured", "notice of loss", "proof of purchase", "salvage", "liability", "legal costs"),
)
PLACES = ("Harrowmere", "Eastwick", "Dunmarsh", "Kelford", "Northbrook", "Saltery", "Vinehall", "Wexcombe")
WORDS = tuple(sorted({word for phrase in (*PERILS, *OBJECTS, *PARTIES, *ACTIONS, *TERMS) for word in phrase.split()}))
"""Documents hold all of these; searches ask for some of them."""

PAGES, PARAGRAPHS_PER_PAGE, SENTENCES = 3, 5, 4
LINE, MARGIN, LEADING = 92, 56, 14
KINDS = ("pdf", "pdf", "pdf", "pdf", "pdf", "docx", "docx", "docx", "eml", "eml")
"""Of ten documents."""


def letter(number: int) -> bytes:
    """Return a document; `letter_kind` says of which kind."""
    chance = random.Random(number)
    pages = [[_paragraph(chance, number) for _ in range(PARAGRAPHS_PER_PAGE)] for _ in range(PAGES)]
    return {"pdf": _pdf, "docx": _docx, "eml": _mail}[letter_kind(number)](number, pages)


def letter_kind(number: int) -> str:
    return KINDS[number % len(KINDS)]


def broken_letter(number: int) -> bytes:
    """Return a PDF of which only the beginning arrived from a scanner: nobody can parse it."""
    return b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + random.Random(number).randbytes(2_000)


def _paragraph(chance: random.Random, number: int) -> str:
    return " ".join([f"Claim {_claim(number)}:", *(_sentence(chance) for _ in range(SENTENCES))])


def _sentence(chance: random.Random) -> str:
    one, other = chance.sample(OBJECTS, 2)
    day = f"{chance.randint(1, 28)}.{chance.randint(1, 12)}.2026"
    return (
        f"After the {chance.choice(PERILS)} of {day} in {chance.choice(PLACES)} the {chance.choice(PARTIES)} "
        f"{chance.choice(ACTIONS)} the {one} and the {other}; the {chance.choice(TERMS)} comes to EUR "
        f"{chance.randint(50, 90_000)}."
    )


def _claim(number: int) -> str:
    return f"CLM-2026-{number:06}"


def _pdf(number: int, pages: Sequence[Sequence[str]]) -> bytes:
    file = BytesIO()
    canvas = Canvas(file, A4, pageCompression=1, invariant=1)
    for page, paragraphs in enumerate(pages, start=1):
        text = canvas.beginText(MARGIN, A4[1] - MARGIN)
        text.setFont("Helvetica-Bold", 13)
        text.textLine(f"Loss report {_claim(number)}, page {page}")
        text.setFont("Helvetica", 10)
        text.setLeading(LEADING)
        for paragraph in paragraphs:
            text.textLine("")
            for line in _lines(paragraph):
                text.textLine(line)
        canvas.drawText(text)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def _lines(paragraph: str) -> list[str]:
    lines = [""]
    for word in paragraph.split():
        if len(lines[-1]) + len(word) >= LINE:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _docx(number: int, pages: Sequence[Sequence[str]]) -> bytes:
    document = Document()
    document.add_heading(f"Letter about {_claim(number)}", level=1)
    for paragraphs in pages:
        for paragraph in paragraphs:
            document.add_paragraph(paragraph)
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def _mail(number: int, pages: Sequence[Sequence[str]]) -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = "claims@harrowmere.example", "office@broker.example"
    message["Subject"] = f"Your report of {_claim(number)}"
    message["Message-ID"] = f"<{number}@harrowmere.example>"
    message["Date"] = "Mon, 02 Nov 2026 09:30:00 +0000"
    message.set_content("\n\n".join(paragraph for paragraphs in pages for paragraph in paragraphs))
    return message.as_bytes()
