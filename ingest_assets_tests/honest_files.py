"""Office files as honest programs write them, each made by another program's library."""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path

import docx
import openpyxl
import pptx
import xlsxwriter
from PIL import Image
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.util import Inches

ONLINE_VIDEO = "https://video.example/watch?v=hail"


def picture() -> BytesIO:
    file = BytesIO()
    Image.new("RGB", (40, 30), "grey").save(file, "PNG")
    file.seek(0)
    return file


def word_letter() -> bytes:
    document = docx.Document()
    document.add_heading("Household policy")
    document.add_paragraph("Bicycles are covered away from home.")
    document.add_picture(picture())
    document.part.relate_to("https://insurer.example/terms", RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    document.part.relate_to("https://insurer.example/logo.png", RELATIONSHIP_TYPE.IMAGE, is_external=True)
    table = document.add_table(2, 2)
    table.cell(0, 0).text = "Peril"
    return _saved(document.save)


def presentation() -> bytes:
    """With a picture that is a link, and an online video; the printer settings are those of a Mac."""
    shown = pptx.Presentation()
    slide = shown.slides.add_slide(shown.slide_layouts[5])
    assert slide.shapes.title
    slide.shapes.title.text = "Hail nets"
    linked = slide.shapes.add_picture(picture(), Inches(1), Inches(1))
    linked.click_action.hyperlink.address = "https://insurer.example/terms"
    slide.part.relate_to(ONLINE_VIDEO, RELATIONSHIP_TYPE.VIDEO, is_external=True)
    slide.part.relate_to(ONLINE_VIDEO, "http://schemas.microsoft.com/office/2007/relationships/media", is_external=True)
    slide.notes_slide.notes_text_frame.text = "Never below the floor."
    return _saved(shown.save)


def workbook_of_openpyxl() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Policy", "Rate"])
    sheet.append(["0004711", 0.075])
    sheet["A1"].hyperlink = "https://insurer.example/terms"
    return _saved(book.save)


def workbook_of_xlsxwriter() -> bytes:
    file = BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Policies")
        sheet.write(0, 0, "Policy")
        sheet.write_url(1, 0, "https://insurer.example/terms")
        sheet.write_comment(0, 0, "Checked on 4 February.")
        sheet.insert_image(3, 3, "a.png", {"image_data": picture(), "url": "https://insurer.example"})
    return file.getvalue()


HONEST: Mapping[str, Callable[[], bytes]] = {
    "python-docx.docx": word_letter,
    "python-pptx.pptx": presentation,
    "openpyxl.xlsx": workbook_of_openpyxl,
    "xlsxwriter.xlsx": workbook_of_xlsxwriter,
}

OFFICE_PROGRAM = shutil.which("soffice") or shutil.which("libreoffice")


def converted(content: bytes, name: str, target: str, folder: Path) -> bytes:
    """Return the file as LibreOffice saves it in another format; `target` is its extension."""
    assert OFFICE_PROGRAM
    source = folder / name
    source.write_bytes(content)
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [OFFICE_PROGRAM, profile, "--headless", "--convert-to", target, "--outdir", str(folder / "out"), name]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    return (folder / "out" / f"{source.stem}.{target}").read_bytes()


def _saved(save: Callable[[BytesIO], object]) -> bytes:
    file = BytesIO()
    save(file)
    return file.getvalue()
