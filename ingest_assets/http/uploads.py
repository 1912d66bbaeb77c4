"""The file in a request: the body itself, or the first file of a form."""

from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser

from starlette.datastructures import Headers

from ingest_assets.domain.errors import PermanentError

FORM = "multipart/form-data"
FORM_ENVELOPE = 64 * 1024
"""How many bytes a form may add to its file."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file and its name."""

    filename: str
    content: bytes


def upload_of(headers: Headers, body: bytes, filename: str | None) -> Upload:
    """Return the file in a request. `filename` takes precedence over the name that a header or the form gives.

    Raises:
        PermanentError: invalid_request.
    """
    if is_form(headers):
        named, content = _file_of_form(body, headers["content-type"])
    else:
        named, content = _filename_in(_utf8(headers.get("content-disposition", ""))), body
    chosen = filename or named
    if not chosen:
        raise PermanentError("invalid_request", what="the file has no name; give one with ?filename=NAME.")
    return Upload(chosen, content)


def is_form(headers: Headers) -> bool:
    """Return whether the body is a form."""
    return headers.get("content-type", "").lower().startswith(FORM)


def _file_of_form(body: bytes, content_type: str) -> tuple[str | None, bytes]:
    """Return the name and the content of the first file in a form (RFC 7578)."""
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
    """Return the file name in a Content-Disposition (RFC 6266), in either spelling."""
    try:
        return _header("Content-Disposition", disposition).get_filename()
    except (ValueError, LookupError, TypeError):
        raise PermanentError("invalid_request", what="the file's name cannot be read.") from None


def _header(name: str, value: str) -> Message:
    message = Message()
    message[name] = value
    return message


def _utf8(value: str) -> str:
    """Return a header as UTF-8, which many clients mean, although headers arrive as Latin-1."""
    return value.encode("latin-1").decode(errors="replace")
