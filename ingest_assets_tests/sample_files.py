"""Small files of every kind, made as the tests need them."""

import struct
from collections.abc import Mapping, Sequence
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from PIL import Image
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

CONTENT_TYPES = "[Content_Types].xml"
WORD = "wordprocessingml.document"
SLIDES = "presentationml.presentation"
SHEETS = "spreadsheetml.sheet"
MAIN_PARTS = {WORD: "word/document.xml", SLIDES: "ppt/presentation.xml", SHEETS: "xl/workbook.xml"}
WORD_NAMESPACE = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
ODF = "urn:oasis:names:tc:opendocument:xmlns:"
DIRECTORY_SIZE_FIELD = 24
DIRECTORY_FLAGS_FIELD = 8
DIRECTORY_ENTRY_HEADER = 46
NO_ENTRY = 0xFFFFFFFF


def pdf(*pages: str, user_password: str = "", owner_password: str = "") -> bytes:
    """One page per text; a page for "" stays empty."""
    protection = (
        StandardEncryption(user_password, owner_password, strength=128) if user_password or owner_password else None
    )
    file = BytesIO()
    canvas = Canvas(file, encrypt=protection)
    for page in pages:
        for row, line in enumerate(page.splitlines()):
            canvas.drawString(72, 760 - 16 * row, line)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def scanned_pdf(*texts: str) -> bytes:
    """A page that is a picture without words, behind a page for each text."""
    file = BytesIO()
    canvas = Canvas(file)
    for text in texts:
        canvas.drawString(72, 760, text)
        canvas.showPage()
    canvas.drawImage(ImageReader(Image.new("L", (60, 80), 200)), 0, 0, 595, 842)
    canvas.showPage()
    canvas.save()
    return file.getvalue()


def zipped(parts: Mapping[str, str | bytes], compression: int = ZIP_DEFLATED) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w", compression) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return file.getvalue()


def office(kind: str = WORD, parts: Mapping[str, str | bytes] | None = None, compression: int = ZIP_DEFLATED) -> bytes:
    """An OOXML package of this kind, with nothing in it unless told."""
    main_part = MAIN_PARTS[kind]
    media_type = f"application/vnd.openxmlformats-officedocument.{kind}.main+xml"
    types = f'<Types><Override PartName="/{main_part}" ContentType="{media_type}"/></Types>'
    return zipped({CONTENT_TYPES: types, main_part: "<x/>", **(parts or {})}, compression)


def docx(*paragraphs: str, before: str = "") -> bytes:
    """`before` goes between the XML declaration and the root."""
    body = "".join(f"<w:p><w:r><w:t>{paragraph}</w:t></w:r></w:p>" for paragraph in paragraphs)
    document = (
        f'<?xml version="1.0"?>{before}<w:document xmlns:w="{WORD_NAMESPACE}"><w:body>{body}</w:body></w:document>'
    )
    relationship = f'<Relationship Id="r1" Type="{OFFICE_DOCUMENT}" Target="word/document.xml"/>'
    relationships = f'<Relationships xmlns="{RELATIONSHIPS}">{relationship}</Relationships>'
    return office(WORD, {"_rels/.rels": relationships, "word/document.xml": document})


def slides(count: int) -> bytes:
    """A presentation with a word on each slide."""
    drawing = "http://schemas.openxmlformats.org/drawingml/2006/main"
    main = "http://schemas.openxmlformats.org/presentationml/2006/main"
    related = OFFICE_DOCUMENT.rpartition("/")[0]
    shape = f'<p:sp><p:txBody><a:p xmlns:a="{drawing}"><a:r><a:t>fire</a:t></a:r></a:p></p:txBody></p:sp>'
    slide = f'<p:sld xmlns:p="{main}"><p:cSld><p:spTree>{shape}</p:spTree></p:cSld></p:sld>'
    listed = "".join(f'<p:sldId id="{256 + n}" r:id="r{n}"/>' for n in range(count))
    targets = "".join(
        f'<Relationship Id="r{n}" Type="{related}/slide" Target="slides/slide{n + 1}.xml"/>' for n in range(count)
    )
    root = f'<Relationship Id="r1" Type="{OFFICE_DOCUMENT}" Target="ppt/presentation.xml"/>'
    names = f'xmlns:p="{main}" xmlns:r="{related}"'
    return office(
        SLIDES,
        {
            "_rels/.rels": f'<Relationships xmlns="{RELATIONSHIPS}">{root}</Relationships>',
            "ppt/presentation.xml": f"<p:presentation {names}><p:sldIdLst>{listed}</p:sldIdLst></p:presentation>",
            "ppt/_rels/presentation.xml.rels": f'<Relationships xmlns="{RELATIONSHIPS}">{targets}</Relationships>',
            **{f"ppt/slides/slide{n + 1}.xml": slide for n in range(count)},
        },
    )


def open_document(media_type: str, body: str = "", manifest: str = "") -> bytes:
    names = f'xmlns:office="{ODF}office:1.0" xmlns:table="{ODF}table:1.0" xmlns:text="{ODF}text:1.0"'
    content = f"<office:document-content {names}><office:body>{body}</office:body></office:document-content>"
    return zipped({"mimetype": media_type, "content.xml": content, "META-INF/manifest.xml": manifest}, ZIP_STORED)


def with_declared_size(package: bytes, part: str, size: int) -> bytes:
    """The package, whose directory now lies about one part."""
    return _patched(package, part, DIRECTORY_SIZE_FIELD, struct.pack("<I", size))


def with_encrypted_flag(package: bytes, part: str) -> bytes:
    return _patched(package, part, DIRECTORY_FLAGS_FIELD, struct.pack("<H", 1))


def _patched(package: bytes, part: str, field: int, value: bytes) -> bytes:
    at = package.rindex(part.encode()) - DIRECTORY_ENTRY_HEADER + field
    return package[:at] + value + package[at + len(value) :]


def with_offset_beyond_all_files(package: bytes) -> bytes:
    """A package of one part, whose directory says in ZIP64 that the part begins 16 exabytes further on."""
    extra = struct.pack("<HHQ", 1, 8, (1 << 64) - 2)
    entry, end = package.rindex(b"PK\x01\x02"), package.rindex(b"PK\x05\x06")
    header = bytearray(package[entry : entry + DIRECTORY_ENTRY_HEADER])
    header[30:32] = struct.pack("<H", len(extra))
    header[42:46] = b"\xff" * 4
    directory = bytes(header) + package[entry + DIRECTORY_ENTRY_HEADER : end] + extra
    return (
        package[:entry] + directory + package[end : end + 12] + struct.pack("<I", len(directory)) + package[end + 16 :]
    )


def ole2(*streams: str, word_flags: int = 0) -> bytes:
    """A compound file with these streams in its directory and a Word header in its first sector."""
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(22) + struct.pack("<H", 9)
    word = struct.pack("<H8xH", 0xA5EC, word_flags)
    directory = b"".join(_ole2_entry(name) for name in streams)
    return header.ljust(512, b"\x00") + word.ljust(512, b"\x00") + directory


def _ole2_entry(name: str) -> bytes:
    return name.encode("utf-16-le").ljust(116, b"\x00") + struct.pack("<I", 0) + bytes(8)


Storage = Mapping[str, "Storage"]


def compound(root: "Storage") -> bytes:
    """A compound file with a true directory of these storages; none of its streams holds anything."""
    entries: list[bytearray] = [bytearray(128)]

    def add(names: "Storage", parent: int) -> None:
        before = None
        for name, inner in names.items():
            encoded = name.encode("utf-16-le")
            entry = bytearray(128)
            struct.pack_into("<64sHBBIII", entry, 0, encoded, len(encoded) + 2, 1, 1, *[NO_ENTRY] * 3)
            number = len(entries)
            entries.append(entry)
            if before is None:
                struct.pack_into("<I", entries[parent], 76, number)
            else:
                struct.pack_into("<I", entries[before], 72, number)
            before = number
            add(inner, number)

    struct.pack_into("<64sHBBIII", entries[0], 0, "Root Entry".encode("utf-16-le"), 22, 5, 1, *[NO_ENTRY] * 3)
    add(root, 0)
    directory = b"".join(entries)
    sectors = -(-len(directory) // 512)
    table = [0xFFFFFFFD, *range(2, sectors + 1), 0xFFFFFFFE]
    header = bytearray(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(512, b"\x00"))
    struct.pack_into("<HHHHH", header, 24, 0x3E, 3, 0xFFFE, 9, 6)
    struct.pack_into("<II", header, 44, 1, 1)
    struct.pack_into("<II", header, 68, 0xFFFFFFFE, 0)
    struct.pack_into("<109I", header, 76, 0, *[NO_ENTRY] * 108)
    packed = struct.pack("<128I", *table, *[NO_ENTRY] * (128 - len(table)))
    return bytes(header) + packed + directory.ljust(sectors * 512, b"\x00")


def paragraphs(count: int) -> Sequence[str]:
    return [f"Clause {number} of the policy covers water damage." for number in range(count)]
