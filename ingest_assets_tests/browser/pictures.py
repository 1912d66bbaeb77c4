"""Take the README's pictures of Dagster's page, on a deployment of its own with the example documents.

.venv/bin/python -m ingest_assets_tests.browser.pictures
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, expect

from ingest_assets_tests.browser.chromium import CHROMIUM, chromium
from ingest_assets_tests.system.ingest import Ingest, Ui

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted((ROOT / "examples" / "documents").iterdir())
PICTURES = ROOT / "docs" / "pictures"
USER = "11111111-2222-4333-8444-555555555555"
PATIENCE_MS = 60_000
LINEAGE, PARTITION = ViewportSize(width=1500, height=480), ViewportSize(width=1240, height=620)


def main() -> None:
    if CHROMIUM is None:
        sys.exit("Chromium is not installed. On Debian: apt-get install chromium")
    PICTURES.mkdir(exist_ok=True)
    expect.set_options(timeout=PATIENCE_MS)
    with tempfile.TemporaryDirectory(prefix="ingest-pictures-") as home:
        few = str(len(DOCUMENTS))
        ingest = Ingest(Path(home), (("INGEST_USER_ID", USER), ("INGEST_FEW_JOBS", few)))
        with ingest.up() as ui:
            ingest("submit", *DOCUMENTS[1:], "--wait", "--json")
            # The lineage shows the checks of the run that ended last, if no other run came between its steps.
            [last] = ingest("submit", DOCUMENTS[0], "--wait", "--json").json
            _take(ui, last["document_id"])


def _take(ui: Ui, document_id: str) -> None:
    with chromium() as browser:
        context = browser.new_context(base_url=ui.url, color_scheme="light", device_scale_factor=1.25)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        _evaluate_checks(page)
        page.set_viewport_size(LINEAGE)
        _take_lineage(page)
        page.set_viewport_size(PARTITION)
        _take_partition(page, document_id)


def _evaluate_checks(page: Page) -> None:
    page.goto("/assets/vector_index?view=checks")
    page.get_by_role("button", name="Execute all").click()
    expect(page.get_by_text("Not evaluated")).to_have_count(0)
    expect(page.get_by_text("In progress")).to_have_count(0)


def _take_lineage(page: Page) -> None:
    page.get_by_role("button", name="Hide navigation").click()
    page.goto("/assets/vector_index?view=lineage&lineageScope=upstream&lineageDepth=3")
    expect(page.get_by_text("1 / 1 Passed")).to_have_count(2)
    expect(page.get_by_text("3 / 3 Passed")).to_be_visible()
    page.screenshot(path=PICTURES / "lineage.png")


def _take_partition(page: Page, document_id: str) -> None:
    page.goto(f"/assets/finalized_chunks?view=partitions&partition={document_id}")
    expect(page.get_by_role("row", name="chunks")).to_be_visible()
    page.screenshot(path=PICTURES / "partition.png")


if __name__ == "__main__":
    main()
