"""The languages whose text can be recognised: what Tesseract's language data is there for on this machine."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

FOLDERS = (
    Path(sys.prefix, "share", "tessdata"),
    Path("/usr/share/tesseract-ocr/5/tessdata"),
    Path("/usr/share/tesseract-ocr/4.00/tessdata"),
    Path("/usr/share/tessdata"),
)
"""That of the packages installed with this one, and those of Debian and other systems."""
ORIENTATION = "osd"
"""Not a language: what finds out how a page lies."""


def folder_of(languages: Sequence[str], folders: Sequence[Path] = FOLDERS) -> Path:
    """Return the first folder that has the data of all these languages, which Tesseract reads from one folder only.

    Raises:
        LookupError: No folder has them all; the message says what there is.
    """
    found = {folder: set(_languages_in(folder)) for folder in folders}
    for folder, known in found.items():
        if known.issuperset([*languages, ORIENTATION]):
            return folder
    there = "; ".join(
        f"{folder} has {', '.join(sorted(known - {ORIENTATION}))}" for folder, known in found.items() if known
    )
    raise LookupError(
        f"no folder has the language data of {' and '.join(languages)}: {there or 'there is none at all'}"
    )


def _languages_in(folder: Path) -> Iterator[str]:
    try:
        yield from (path.stem for path in folder.glob("*.traineddata"))
    except OSError:
        return
