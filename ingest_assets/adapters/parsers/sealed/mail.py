"""Mail: its own text, and the files attached to it.

The old policy of the parser is used on purpose: the new one parses headers in ways that are slow for hostile ones.
"""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.policy import compat32
from html import escape

from ingest_assets.adapters.parsers.sealed.refusals import RefusedError
from ingest_assets.adapters.parsers.sealed.signed_mail import signed_content
from ingest_assets.adapters.parsers.sealed.tnef import MEDIA_TYPES, unwrapped
from ingest_assets.adapters.parsers.sealed.web_pages import as_shown
from ingest_assets.adapters.parsers.sealed.xberg_markdown import marked_text
from ingest_assets.domain.documents.attachments import LONGEST_ATTACHMENT_PATH, MOST_ATTACHMENTS, MOST_BYTES
from ingest_assets.domain.documents.document import Attachment
from ingest_assets.domain.documents.warnings import WarningKind
from ingest_assets.domain.files.file_types import FileType
from ingest_assets.domain.files.filenames import safe_filename
from ingest_assets.domain.text.calendars import calendar_markdown
from ingest_assets.domain.text.normalisation import composed, decode, has_words, normalise

SHOWN_HEADERS = ("Subject", "From", "To", "Cc", "Date")
DEEPEST_PART = 50
UNCHANGED = compat32.clone(mangle_from_=False)
LARGEST_DECORATION = 48_000
"""The most bytes of a picture within the text that is taken for a logo, a signature or a line."""
SIGNATURES = frozenset(
    {
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pgp-signature",
        "application/pgp-keys",
    }
)
ENCRYPTED = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted"})
CALENDARS = frozenset({"text/calendar", "application/ics"})
STYLES = frozenset({"text/css", "text/javascript", "application/javascript", "application/x-javascript"})
WINDOWS = dict.fromkeys(("iso-8859-1", "latin-1", "us-ascii", "ascii"), "cp1252")
"""What mail programs mean by these names, as browsers know."""
FEWEST_REPEATED_WORDS = 4
"""Shorter lines are answers and amounts, which may be the same in several places."""
QUOTED_LINE = re.compile(r"[ \t]{0,3}(?:>[ \t]?)+")
HIDDEN = re.compile(r"(?is)<(style|script|title|template)\b.*?(?:</\1\s*>|\Z)")
TRUE_EXTENSION = ".eml"


@dataclass(slots=True)
class Body:
    """One text, in one or more forms."""

    plain: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    rich_text: bytes | None = None
    """RTF, which only Outlook writes."""


@dataclass(slots=True)
class Mail:
    headers: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[Body] = field(default_factory=list)
    files: list[tuple[str, bytes]] = field(default_factory=list)
    """The attachments by their names, of which several may be the same."""


def mail_of(content: bytes, warnings: Counter[WarningKind]) -> Mail:
    """Read an Internet message (RFC 5322, MIME).

    Raises:
        RefusedError: corrupt.
    """
    try:
        message = message_from_bytes(content)
        return _read(message, warnings)
    except (MessageError, OSError, RecursionError, ValueError, LookupError, AttributeError, TypeError):
        raise RefusedError("corrupt") from None


def mail_markdown(mail: Mail) -> str:
    """Return the headers that people look at and the text, in which nothing quoted stands twice."""
    lines = [f"**{name}**: {value}" for name, value in mail.headers if value]
    body = "\n\n".join(dict.fromkeys(filter(None, map(_text_of, mail.bodies))))
    names = [f"- {name}" for name, _ in mail.files]
    return "\n\n".join(filter(None, (*lines, body, "\n".join(["Attachments:", "", *names]) if names else "")))


def attachments_of(mail: Mail, warnings: Counter[WarningKind]) -> list[Attachment]:
    """Return the attachments under paths of their own, and count those that are too many."""
    taken: dict[str, Attachment] = {}
    size = 0
    for name, content in mail.files:
        if not content:
            continue
        size += len(content)
        if len(taken) == MOST_ATTACHMENTS or size > MOST_BYTES:
            warnings[WarningKind.ATTACHMENTS_SKIPPED] += 1
            size -= len(content)
            continue
        path = _unused(name, taken)
        taken[path] = Attachment(path, content)
    return list(taken.values())


def _unused(name: str, taken: dict[str, Attachment]) -> str:
    stem, dot, extension = name.rpartition(".")
    beginnings = (stem, dot + extension) if stem else (name, "")
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{beginnings[0]} ({number}){beginnings[1]}"
    return found[-LONGEST_ATTACHMENT_PATH:]


def _read(message: Message, warnings: Counter[WarningKind]) -> Mail:
    mail = Mail([(name, _header(message, name)) for name in SHOWN_HEADERS])
    bodies: dict[object, Body] = {}
    for part, alternative in _parts(message, 0, None, warnings):
        kind = part.get_content_type()
        if kind in SIGNATURES:
            continue
        if kind in ENCRYPTED or part.get_param("protocol") in ENCRYPTED:
            _unwrap(mail, bodies, part, warnings)
        elif kind in MEDIA_TYPES and (wrapped := unwrapped(_content(part))) is not None:
            bodies[part] = Body([wrapped.plain], [wrapped.html], wrapped.rich_text)
            mail.files += [(safe_filename(name), content) for name, content in wrapped.files]
        elif kind in CALENDARS and part.get_content_disposition() != "attachment":
            bodies[part] = Body([calendar_markdown(_text(part))])
        elif _is_body(part, kind):
            body = bodies.setdefault(alternative or part, Body())
            (body.html if kind == "text/html" else body.plain).append(_text(part))
        elif kind == "message/rfc822":
            _attach_mail(mail, part, warnings)
        elif not _is_decoration(part, kind):
            mail.files.append((_name(part), _content(part)))
    mail.bodies = list(bodies.values())
    return mail


def _unwrap(mail: Mail, bodies: dict[object, Body], part: Message, warnings: Counter[WarningKind]) -> None:
    """Read what is signed in one piece, or count what is encrypted."""
    signed = signed_content(_content(part))
    if signed is None:
        warnings[WarningKind.PROTECTED_PARTS] += 1
        return
    inner = _read(message_from_bytes(signed), warnings)
    mail.files += inner.files
    bodies.update((object(), body) for body in inner.bodies)


def _parts(
    part: Message, depth: int, alternative: Message | None, warnings: Counter[WarningKind]
) -> Iterator[tuple[Message, Message | None]]:
    """Yield the parts that hold something, but not those within attached mails.

    With each comes the part whose alternatives it is one of, if it is one.
    """
    kind = part.get_content_type()
    if not part.is_multipart() or kind == "message/rfc822":
        yield part, alternative
        return
    if alternative is None and kind == "multipart/alternative":
        alternative = part
    if depth == DEEPEST_PART:
        warnings[WarningKind.ATTACHMENTS_SKIPPED] += 1
        return
    for each in part.get_payload():
        if isinstance(each, Message):
            yield from _parts(each, depth + 1, alternative, warnings)


def _is_body(part: Message, kind: str) -> bool:
    is_shown = part.get_content_disposition() != "attachment" and part.get_filename() is None
    return is_shown and kind in ("text/plain", "text/html", "text/enriched")


def _is_decoration(part: Message, kind: str) -> bool:
    """Return whether a part is a small picture that the text shows, or says how the text looks."""
    located = part.get("Content-ID") is not None or part.get("Content-Location") is not None
    if located and kind in STYLES:
        return True
    within = located or part.get_content_disposition() == "inline"
    return kind.startswith("image/") and within and len(_content(part)) <= LARGEST_DECORATION


def _attach_mail(mail: Mail, part: Message, warnings: Counter[WarningKind]) -> None:
    payload = part.get_payload()
    inner = payload[0] if isinstance(payload, list) and payload else None
    if not isinstance(inner, Message):
        mail.files.append((_name(part), _content(part)))
        return
    name = part.get_filename()
    subject = safe_filename(decoded(name) if name else _header(inner, "Subject") or "mail")
    try:
        content = inner.as_bytes(policy=UNCHANGED)
    except (MessageError, OSError, ValueError, LookupError, TypeError):  # its headers cannot be written
        warnings[WarningKind.ATTACHMENTS_SKIPPED] += 1
        return
    mail.files.append((subject.removesuffix(TRUE_EXTENSION) + TRUE_EXTENSION, content))


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _name(part: Message) -> str:
    name = part.get_filename()
    if name:
        return safe_filename(decoded(name))
    extensions = {kind.value: kind.extensions[0] for kind in FileType}
    extension = extensions.get(part.get_content_type())
    return f"attachment.{extension}" if extension else "attachment"


def _text(part: Message) -> str:
    content = _content(part)
    charset = str(part.get_content_charset() or "utf-8")
    if charset in WINDOWS:
        with suppress(ValueError):  # many write UTF-8 and do not say so; by chance, no text is valid UTF-8
            return content.decode()
    with suppress(LookupError, ValueError, OSError):  # an unknown one would be looked for among the files
        return content.decode(WINDOWS.get(charset, charset))
    return decode(content) or content.decode("latin-1")


def _header(message: Message, name: str) -> str:
    return " ".join(decoded(_raw(value)) for key, value in message.raw_items() if key.lower() == name.lower())


def _raw(value: object) -> str:
    """Return a header as it stands in the mail, where some programs write bytes beyond ASCII."""
    content = str(value).encode("utf-8", errors="surrogateescape")
    return decode(content) or content.decode("latin-1")


def decoded(value: str) -> str:
    """Return a header's value without its encodings and on one line."""
    with suppress(MessageError, LookupError, ValueError, OSError):
        value = str(make_header(decode_header(value)))
    return " ".join(normalise(value).split())


def _text_of(body: Body) -> str:
    plain = without_repeated_quotes("\n".join(body.plain)).strip()
    marked = _marked(body)
    return marked if _count_words(marked) * 2 > _count_words(plain) else plain


def _marked(body: Body) -> str:
    if body.html:
        return "\n\n".join(filter(None, map(_marked_html, body.html)))
    if body.rich_text is not None and not has_words("".join(body.plain)):
        with suppress(RefusedError):
            return marked_text(body.rich_text, FileType.RTF)
    return ""


def _marked_html(html: str) -> str:
    """Return a mail's HTML as Markdown; styles and scripts are no text."""
    with suppress(RefusedError):
        return marked_text(composed(as_shown(_document(HIDDEN.sub("", html)))).encode(errors="replace"), FileType.HTML)
    return ""


def _document(html: str) -> str:
    return html if "<" in html else f"<p>{escape(html)}</p>"


def _count_words(text: str) -> int:
    return len(text.split())


def without_repeated_quotes(text: str) -> str:
    """Return a thread in which a quoted line that has stood there before is left out.

    Those who answer quote what they answer, with all that is quoted in it.
    """
    seen: set[str] = set()
    kept: list[str] = []
    for line in text.splitlines():
        quoted = QUOTED_LINE.match(line)
        words = line[quoted.end() :].strip() if quoted else line.strip()
        if quoted and words in seen:
            continue
        if len(words.split()) >= FEWEST_REPEATED_WORDS:
            seen.add(words)
        kept.append(line)
    return "\n".join(kept)
