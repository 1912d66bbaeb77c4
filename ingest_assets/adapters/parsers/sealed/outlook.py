"""Outlook's own files of mail (MS-OXMSG), read as the mail that they hold."""

import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from mimetypes import guess_type
from typing import cast

from compressed_rtf import decompress
from olefile.olefile import OleFileError
from oxmsg import Message
from oxmsg.attachment import Attachment
from oxmsg.properties import Properties
from oxmsg.storage import Storage

from ingest_assets.adapters.parsers.sealed.mail import (
    LARGEST_DECORATION,
    SIGNATURES,
    TRUE_EXTENSION,
    Body,
    Mail,
    decoded,
)
from ingest_assets.adapters.parsers.sealed.mail import mail_of as internet_mail_of
from ingest_assets.adapters.parsers.sealed.refusals import RefusedError
from ingest_assets.domain.documents.warnings import WarningKind
from ingest_assets.domain.files.filenames import safe_filename
from ingest_assets.domain.text.normalisation import normalise

EMBEDDED_HEADER = 24
"""Where the properties of a message within a message begin; those of a file begin 8 bytes later (MS-OXMSG 2.4.1)."""
EMBEDDED = "__substg1.0_3701000D"
CONTENT_ID, RTF, HTML = 0x3712, 0x1009, 0x1013
SHOWN_IN_TEXT = 0x4
"""The bit of PidTagAttachFlags for what the HTML shows."""
ATTACH_FLAGS = 0x3714
DEEPEST_MESSAGE = 10
UNREADABLE = (
    *(OleFileError, MessageError, ArithmeticError, OSError, struct.error, AssertionError),
    *(ValueError, LookupError, AttributeError, TypeError),
)
RECIPIENTS = {1: "To", 2: "Cc"}
RECIPIENT_TYPE = 0x0C15


class _Embedded(Message):
    """A message within a message."""

    @property
    def properties(self) -> Properties:
        return Properties(self._storage, properties_header_offset=EMBEDDED_HEADER)


def load_modules() -> None:
    """Write and read a mail with a mail in it, so that the library imports what it would import on first use."""
    inner = Mail([("Subject", "Überschwemmung"), ("From", '"Ä" <a@example.invalid>')], [Body(["ü"], ["<p>ü</p>"])])
    outer = Mail(
        [("Subject", "Cover")], [Body(["Cover"])], files=[("ü.eml", _as_internet_message(inner)), ("ü.png", b"\xff")]
    )
    attached = b"Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: message/rfc822\n\n%b\n--a--"
    for content in (_as_internet_message(outer), attached % _as_internet_message(inner)):
        internet_mail_of(content, Counter())


def mail_of(content: bytes, warnings: Counter[WarningKind]) -> Mail:
    """Read a file of Outlook.

    Raises:
        RefusedError: corrupt.
    """
    try:
        return _read(Message.load(content), warnings, 0)
    except (*UNREADABLE, RecursionError):
        raise RefusedError("corrupt") from None


def _read(message: Message, warnings: Counter[WarningKind], depth: int) -> Mail:
    body = Body()
    mail = Mail(list(_headers(message)), [body])
    if message.body:
        body.plain.append(message.body)
    html = _html(message)
    if html:
        body.html.append(html)
    packed = message.properties.binary_prop_value(RTF)
    if packed and not (html or message.body):
        with suppress(Exception):  # the library raises nothing more special
            body.rich_text = decompress(packed)
    for attachment in message.attachments:
        mail.files += _files(attachment, warnings, depth)
    return mail


def _html(message: Message) -> str | None:
    """Return the HTML, also if a byte of it does not fit its encoding."""
    content = message.properties.binary_prop_value(HTML)
    if content is None:
        return message.html_body
    try:
        return content.decode(message.properties.body_encoding, errors="replace")
    except LookupError:
        return content.decode(errors="replace")


def _headers(message: Message) -> Iterator[tuple[str, str]]:
    yield "Subject", _on_one_line(message.subject)
    yield "From", decoded(message.sender or "")
    named: dict[str, list[str]] = {"To": [], "Cc": []}
    for recipient in message.recipients:
        kind = RECIPIENTS.get(recipient.properties.int_prop_value(RECIPIENT_TYPE) or 1)
        if kind:
            address = recipient.email_address
            named[kind].append(
                f"{recipient.name} <{address}>" if address and address != recipient.name else recipient.name
            )
    for kind, names in named.items():
        yield kind, _on_one_line(", ".join(names))
    with suppress(ArithmeticError):  # times that no calendar has
        yield "Date", format_datetime(message.sent_date) if message.sent_date else ""


def _on_one_line(text: str) -> str:
    return " ".join(normalise(text).split())


def _files(attachment: Attachment, warnings: Counter[WarningKind], depth: int) -> list[tuple[str, bytes]]:
    # the library does not offer messages within messages
    storage = cast("Storage", attachment._storage)  # noqa: SLF001
    inner = next((each for each in storage.storages if each.name == EMBEDDED), None)
    if inner is not None:
        return _attached_message(inner, warnings, depth)
    content = attachment.file_bytes
    if content is None:  # a link to a file elsewhere, or an object of another program
        warnings[WarningKind.ATTACHMENTS_SKIPPED] += 1
        return []
    kind = attachment.mime_type or ""
    if kind in SIGNATURES or _is_decoration(attachment, kind, content):
        return []
    return [(safe_filename(attachment.file_name or "attachment"), content)]


def _is_decoration(attachment: Attachment, kind: str, content: bytes) -> bool:
    properties = attachment.properties
    shown = (properties.int_prop_value(ATTACH_FLAGS) or 0) & SHOWN_IN_TEXT or properties.str_prop_value(CONTENT_ID)
    is_picture = kind.startswith("image/") or (guess_type(attachment.file_name or "")[0] or "").startswith("image/")
    return bool(shown) and is_picture and len(content) <= LARGEST_DECORATION


def _attached_message(inner: Storage, warnings: Counter[WarningKind], depth: int) -> list[tuple[str, bytes]]:
    if depth == DEEPEST_MESSAGE or "__properties_version1.0" not in {each.name for each in inner.streams}:
        warnings[WarningKind.ATTACHMENTS_SKIPPED] += 1  # too deep, or an object of another program
        return []
    mail = _read(_Embedded(inner), warnings, depth + 1)
    subject = dict(mail.headers).get("Subject") or "mail"
    return [(safe_filename(subject).removesuffix(TRUE_EXTENSION) + TRUE_EXTENSION, _as_internet_message(mail))]


def _as_internet_message(mail: Mail) -> bytes:
    """Write a mail that is no file of its own as one that other programs can open."""
    message = EmailMessage(policy=SMTP)
    for name, value in mail.headers:
        if value:
            message[name] = value
    message.set_content("\n".join(text for body in mail.bodies for text in body.plain))
    for html in (text for body in mail.bodies for text in body.html):
        message.add_alternative(html, subtype="html")
    for name, content in mail.files:
        maintype, _, subtype = (guess_type(name)[0] or "application/octet-stream").partition("/")
        if maintype == "text" or name.endswith(TRUE_EXTENSION):
            maintype, subtype = "application", "octet-stream"  # as bytes: its encoding is not known
        message.add_attachment(content, maintype=maintype, subtype=subtype, filename=name)
    for number, part in enumerate(message.walk()):
        if part.is_multipart():  # not a random one: the same mail is the same document next time
            part.set_boundary(f"=_{_digest(mail)}_{number}")
    return message.as_bytes()


def _digest(mail: Mail) -> str:
    found = sha256()
    texts = (text.encode(errors="replace") for body in mail.bodies for text in (*body.plain, *body.html))
    for content in (*texts, *(content for _, content in mail.files)):
        found.update(sha256(content).digest())
    return found.hexdigest()[:32]
