"""Find the file in a body: the body itself, or the first file of a form (RFC 7578), and what the form says about it."""

import mmap
import re
from dataclasses import dataclass, replace
from email.message import Message
from email.parser import HeaderParser
from typing import BinaryIO

from starlette.datastructures import Headers

from ingest_assets.domain.documents.metadata import Metadata, parse_metadata
from ingest_assets.domain.errors import PermanentError

FORM = "multipart/form-data"
METADATA = "metadata"
FORM_ENVELOPE = 64 * 1024
"""How many bytes a form may have before its file begins."""
MOST_PARTS = 100
LONGEST_PART_HEAD = 8 * 1024
LONGEST_BOUNDARY = 70
"""As RFC 2046 says."""
END_OF_DELIMITER = rb"(?:--[ \t]*+(?:(?=\r\n)|\Z)|[ \t]*+(?=\r\n))"
"""What follows the boundary in a delimiter; a line that goes on otherwise belongs to the part."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file and its name."""

    filename: str
    content: bytes
    metadata: Metadata
    """What the form says about it."""


@dataclass(frozen=True, slots=True)
class Form:
    file: tuple[str | None, bytes] | None = None
    """The name and the content of the first file."""
    metadata: bytes | None = None
    """The field of this name."""


def upload_of(headers: Headers, body: BinaryIO, filename: str | None) -> Upload:
    """Return the file in a body. `filename` takes precedence over the name that a header or the form gives.

    Raises:
        PermanentError: invalid_request, invalid_metadata.
    """
    if is_form(headers):
        form = _form_of(body, headers["content-type"])
        if form.file is None:
            raise PermanentError("invalid_request", what="the form holds no file.")
        (named, content), metadata = form.file, form.metadata
    else:
        named, content, metadata = _filename_in(_utf8(headers.get("content-disposition", ""))), body.read(), None
    chosen = filename or named
    if not chosen:
        raise PermanentError("invalid_request", what="the file has no name; give one with ?filename=NAME.")
    return Upload(chosen, content, {} if metadata is None else parse_metadata(metadata))


def is_form(headers: Headers) -> bool:
    """Return whether the body is a form."""
    return headers.get("content-type", "").lower().startswith(FORM)


def _form_of(body: BinaryIO, content_type: str) -> Form:
    boundary = (_header("Content-Type", content_type).get_boundary() or "").encode(errors="replace")
    if not 0 < len(boundary) <= LONGEST_BOUNDARY:
        raise PermanentError("invalid_request", what="the form has no boundary.")
    if body.read(1):
        with mmap.mmap(body.fileno(), 0, access=mmap.ACCESS_READ) as form:
            return _parts(form, b"--" + boundary)
    return Form()


def _parts(form: mmap.mmap, boundary: bytes) -> Form:
    """Return what is looked for in a form, looking only at as many parts as an honest form has."""
    line = re.escape(boundary) + END_OF_DELIMITER
    delimiter = re.compile(rb"\r\n" + line)
    found = re.compile(rb"(?:\A|\r\n)" + line).search(form, 0, FORM_ENVELOPE)
    known = Form()
    for _ in range(MOST_PARTS):
        blank = form.find(b"\r\n\r\n", found.end(), found.end() + LONGEST_PART_HEAD) if found else -1
        if found is None or blank < 0:
            break
        content = blank + len(b"\r\n\r\n")
        head = HeaderParser().parsestr(form[found.end() : blank].strip().decode(errors="replace"))
        disposition = head.get("Content-Disposition", "")
        named = _filename_in(disposition)
        is_file = known.file is None and named is not None and _name_in(disposition) != METADATA
        envelope_end = FORM_ENVELOPE if known.file is None else content + FORM_ENVELOPE
        found = delimiter.search(form, content, len(form) if is_file else envelope_end)
        if found and is_file:
            known = replace(known, file=(named, form[content : found.start()]))
        elif found and known.metadata is None and _name_in(disposition) == METADATA:
            known = replace(known, metadata=form[content : found.start()])
    return known


def _filename_in(disposition: str) -> str | None:
    """Return the file name in a Content-Disposition (RFC 6266), in either spelling."""
    try:
        return _header("Content-Disposition", disposition).get_filename()
    except (ValueError, LookupError, TypeError):
        raise PermanentError("invalid_request", what="the file's name cannot be read.") from None


def _name_in(disposition: str) -> str | None:
    """Return the name of the form's field in a Content-Disposition."""
    name = _header("Content-Disposition", disposition).get_param("name", header="content-disposition")
    return name if isinstance(name, str) else None


def _header(name: str, value: str) -> Message:
    message = Message()
    message[name] = value
    return message


def _utf8(value: str) -> str:
    """Return a header as UTF-8, which many clients mean, although headers arrive as Latin-1."""
    return value.encode("latin-1").decode(errors="replace")
