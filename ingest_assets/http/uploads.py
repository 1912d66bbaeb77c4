"""The file in a request: the body itself, or the first file of a form."""

from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser

from starlette.datastructures import Headers

from ingest_assets.domain.errors import PermanentError

FORM = "multipart/form-data"
FORM_ENVELOPE = 64 * 1024
"""How much a form may add to its file."""


@dataclass(frozen=True, slots=True)
class Upload:
    filename: str
    content: bytes


def upload_of(headers: Headers, body: bytes, filename: str | None) -> Upload:
    """`filename` goes before the name that a header or the form gives. Raises PermanentError invalid_request."""
    if is_form(headers):
        named, content = _file_of_form(body, headers["content-type"])
    else:
        named, content = _filename_in(_utf8(headers.get("content-disposition", ""))), body
    chosen = filename or named
    if not chosen:
        raise PermanentError("invalid_request", what="the file's name is missing; give it as ?filename=NAME.")
    return Upload(chosen, content)


def is_form(headers: Headers) -> bool:
    return headers.get("content-type", "").lower().startswith(FORM)


def _file_of_form(body: bytes, content_type: str) -> tuple[str | None, bytes]:
    """RFC 7578; the whole body is in memory already, within its limit."""
    boundary = _header("Content-Type", content_type).get_boundary()
    if not boundary:
        raise PermanentError("invalid_request", what="the form has no boundary.")
    _, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary.encode(errors="replace"))
    for part in parts:
        head, blank, content = part.partition(b"\r\n\r\n")
        disposition = HeaderParser().parsestr(head.strip().decode(errors="replace")).get("Content-Disposition", "")
        named = _filename_in(disposition)
        if blank and named:
            return named, content
    raise PermanentError("invalid_request", what="the form holds no file.")


def _filename_in(disposition: str) -> str | None:
    """Of a Content-Disposition (RFC 6266), in either spelling."""
    try:
        return _header("Content-Disposition", disposition).get_filename()
    except (ValueError, LookupError, TypeError):
        raise PermanentError("invalid_request", what="the file's name cannot be read.") from None


def _header(name: str, value: str) -> Message:
    message = Message()
    message[name] = value
    return message


def _utf8(value: str) -> str:
    """Headers arrive as Latin-1; many clients mean UTF-8."""
    return value.encode("latin-1").decode(errors="replace")
