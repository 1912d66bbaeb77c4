"""How the bytes of a document are handed out: to be saved, and never to be shown as a page."""

import re
from dataclasses import dataclass
from urllib.parse import quote

from ingest_assets.domain.documents.document import Document

ACTIVE = re.compile(r"html|xml|svg|script|rfc822|multipart|x-shockwave")
"""What is in the types of files that a browser would run or take apart."""
OF_NO_TYPE = "application/octet-stream"
EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,10}\Z")


@dataclass(frozen=True, slots=True)
class Download:
    """What is said of bytes that are handed out."""

    filename: str
    media_type: str
    seconds: int
    """How long an address is good for, if they are handed out by one."""

    @property
    def disposition(self) -> str:
        """Return the header that has a browser save them (RFC 6266)."""
        plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\\\%' else "_" for c in self.filename)
        return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(self.filename, safe='')}"


def handed_out(document: Document) -> Download:
    return Download(document.filename, passive_type(document.media_type), 0)


def handed_out_elsewhere(document: Document, seconds: int) -> Download:
    """Return what is said of bytes that another server hands out: addresses are logged, so none has a file's name."""
    extension = EXTENSION.search(document.filename)
    name = f"{document.document_id}{extension[0].lower() if extension else ''}"
    return Download(name, passive_type(document.media_type), seconds)


def passive_type(media_type: str) -> str:
    """Return the type, unless a browser that shows the file after all would run what is in it."""
    return OF_NO_TYPE if ACTIVE.search(media_type.lower()) else media_type
