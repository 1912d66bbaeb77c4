"""ZIP archives: a list of what is in them, and the files."""

from collections import Counter
from io import BytesIO
from zipfile import ZipFile, ZipInfo

from ingest_assets.adapters.parsers.sealed.refusals import RefusedError
from ingest_assets.domain.documents.attachments import LONGEST_ATTACHMENT_PATH, MOST_ATTACHMENTS, MOST_BYTES
from ingest_assets.domain.documents.document import Attachment
from ingest_assets.domain.documents.warnings import WarningKind
from ingest_assets.domain.files.containers import ENCRYPTED_ENTRY, UNREADABLE
from ingest_assets.domain.files.filenames import UNNAMED
from ingest_assets.domain.text.normalisation import normalise

IGNORED = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
ARCHIVE_ENDING = ".zip"
"""An archive within an archive is not opened: each level multiplies what there is to read."""


def files_of(content: bytes, warnings: Counter[WarningKind]) -> list[Attachment]:
    """Return the files of an archive, and count those that are protected, too many, too large or archives themselves.

    Raises:
        RefusedError: corrupt or encrypted.
    """
    try:
        with ZipFile(BytesIO(content)) as package:
            return _read(package, warnings)
    except UNREADABLE:
        raise RefusedError("corrupt") from None


def _read(package: ZipFile, warnings: Counter[WarningKind]) -> list[Attachment]:
    found: dict[str, Attachment] = {}
    left = MOST_BYTES
    for entry in filter(_is_meant, package.infolist()):
        path = normalise(entry.filename)[-LONGEST_ATTACHMENT_PATH:] or UNNAMED
        if entry.flag_bits & ENCRYPTED_ENTRY:
            warnings[WarningKind.PROTECTED_PARTS] += 1
            continue
        is_refused = path in found or len(found) == MOST_ATTACHMENTS or path.lower().endswith(ARCHIVE_ENDING)
        inflated = None if is_refused else _inflated(package, entry, left)
        if inflated is None:
            warnings[WarningKind.ATTACHMENTS_SKIPPED] += 1
        elif inflated:
            found[path] = Attachment(path, inflated)
            left -= len(inflated)
    if warnings[WarningKind.PROTECTED_PARTS] and not found:
        raise RefusedError("encrypted")
    return list(found.values())


def listing(files: list[Attachment]) -> str:
    return "\n".join(["Files:", "", *(f"- {file.path}" for file in files)]) if files else ""


def _is_meant(entry: ZipInfo) -> bool:
    path = entry.filename
    return not (entry.is_dir() or path.startswith(IGNORED) or path.rpartition("/")[2] in IGNORED)


def _inflated(package: ZipFile, entry: ZipInfo, most: int) -> bytes | None:
    """Return the content, or None if it is damaged or larger than allowed, whatever its size is said to be."""
    try:
        with package.open(entry) as file:
            content = file.read(most + 1)
    except UNREADABLE:
        return None
    return content if len(content) <= most else None
