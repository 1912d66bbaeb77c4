"""Pictures that may be scans of pages, by their size."""

from ingest_assets.adapters.parsers.sealed.office.parts import Element, natural

PICTURE = "{*}blip"
EXTENT = ("{*}extent", "{*}ext")
PAGE_AREA = 7_560_000 * 10_692_000
"""Of A4, in square English Metric Units."""
SCAN_SHARE = 0.4
"""How much of a page a picture must cover to be a scan rather than a photograph or a logo."""


def is_scan(frame: Element, area: int = PAGE_AREA) -> bool:
    """Return whether a frame holds a picture that covers much of the area."""
    if next(frame.iter(PICTURE), None) is None:
        return False
    return any(_area(extent) >= SCAN_SHARE * area for extent in frame.iter(*EXTENT))


def _area(extent: Element) -> int:
    return natural(extent.get("cx")) * natural(extent.get("cy"))
