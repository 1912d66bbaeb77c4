"""What a Word document holds that is not read: pictures as large as a page, and files within it."""

from collections import Counter
from collections.abc import Iterable

from ingest_assets.adapters.parsers.sealed.office.parts import EMBEDDED, Element, Relationship
from ingest_assets.adapters.parsers.sealed.office.pictures import is_scan
from ingest_assets.domain.documents.warnings import WarningKind

FRAMES = tuple(
    f"{{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}}{name}" for name in ("inline", "anchor")
)


def count_unread(root: Element, related: Iterable[Relationship], warnings: Counter[WarningKind]) -> None:
    warnings[WarningKind.PICTURES_WITHOUT_TEXT] += sum(map(is_scan, root.iter(*FRAMES)))
    warnings[WarningKind.EMBEDDED_OBJECTS] += sum(each.kind in EMBEDDED and not each.is_external for each in related)
