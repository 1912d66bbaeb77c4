"""What a folder holds besides documents: nobody means it, so it is skipped, and counted by its reason.

Whoever names such a file means it: then it is tried, and refused if nothing reads it.
"""

import re
from enum import StrEnum


class SkipReason(StrEnum):
    """Why something in a folder is skipped; where a named file would be refused, the code is the same."""

    SYSTEM_FILE = "system_file"
    """A file that a file manager or a file server keeps for itself."""
    TEMPORARY_FILE = "temporary_file"
    """A lock of an office program, half of a download, or what a program has not finished."""
    IGNORED = "ignored"
    """What `.ingestignore`, an exclusion or the lack of an inclusion says."""
    METADATA_FILE = "metadata_file"
    """What is known about the document beside it."""
    EMPTY_FILE = "empty_file"
    PATH_MISSING = "path_missing"
    """A link that leads nowhere, a file that has gone meanwhile, or neither a file nor a folder."""
    FOLDER_LOOP = "folder_loop"
    UNSUPPORTED = "unsupported"
    ARCHIVE_REFUSED = "archive_refused"


_SYSTEM = re.compile(
    r"(?i:thumbs\.db(:encryptable)?|ehthumbs(_vista)?\.db|desktop\.ini|\.ds_store|\._.*|icon\r|\$recycle\.bin"
    r"|system volume information|@eadir)",
    re.DOTALL,
)
_TEMPORARY = re.compile(
    r"(?i:~\$.*|\.~lock\..*#|.*\.(crdownload|part|partial|download|opdownload|filepart|tmp))", re.DOTALL
)


def skip_reason_of_name(name: str) -> SkipReason | None:
    """Return why a file or folder of this name is skipped, or None if its name is no reason."""
    if _SYSTEM.fullmatch(name):
        return SkipReason.SYSTEM_FILE
    return SkipReason.TEMPORARY_FILE if _TEMPORARY.fullmatch(name) else None


def skip_reason_of_problem(code: str) -> SkipReason | None:
    """Return why a file with this problem is skipped where nobody named it, or None if somebody has to look at it."""
    return SkipReason(code) if code in _HARMLESS else None


_HARMLESS = frozenset(
    {
        *(SkipReason.EMPTY_FILE, SkipReason.PATH_MISSING, SkipReason.FOLDER_LOOP),
        *(SkipReason.UNSUPPORTED, SkipReason.ARCHIVE_REFUSED),
    }
)
