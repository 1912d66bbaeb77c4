"""Dagster's page as an operator uses it: what it shows, and what its buttons do to a real deployment."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from ingest_assets_tests.documents import policy_text
from ingest_assets_tests.orchestration.runs import NAMES
from ingest_assets_tests.system.ingest import Ingest, Ui

pytestmark = pytest.mark.timeout(600)

PATIENCE_MS = 60_000
DOCUMENTS = 4
RUN_PAGE = re.compile(r"/runs/[0-9a-f-]{36}")
SWITCHED = {
    "queued_jobs": "/locations/ingest_assets/sensors/queued_jobs",
    "retry_failed_partitions": "/locations/ingest_assets/schedules/retry_failed_partitions",
}


@dataclass(frozen=True)
class Documents:
    """Documents that have become searchable, and where their content is stored."""

    ids: list[str]
    stored: list[Path]


@pytest.fixture(scope="module")
def ingest(tmp_path_factory: pytest.TempPathFactory) -> Ingest:
    return Ingest(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def ui(browser: Browser, ingest: Ingest) -> Iterator[Ui]:
    with ingest.up() as running:
        yield running


@pytest.fixture(scope="module")
def documents(ingest: Ingest, ui: Ui, tmp_path_factory: pytest.TempPathFactory) -> Documents:
    folder = tmp_path_factory.mktemp("documents")
    for number in range(DOCUMENTS):
        (folder / f"{number}.md").write_text(policy_text(f"Subject {number}", 3))
    submitted = ingest("submit", folder, "--wait", "--json")
    assert submitted.code == 0, submitted.stderr
    ids = [each["document_id"] for each in submitted.json]
    objects = list((ingest.home / "ingest" / "objects").rglob("*"))
    stored = [next(each for each in objects if each.parent.name == id_ and each.suffix != ".md") for id_ in ids]
    return Documents(ids, stored)


@pytest.fixture(scope="module", autouse=True)
def backfill(browser: Browser, ui: Ui, documents: Documents) -> str:
    """Launch a backfill of the first two documents, and return its address; Dagster needs half a minute to end it."""
    with page_of(ui, browser) as page:
        page.goto("/asset-groups")
        page.get_by_role("button", name="Materialize all").click()
        dialog = page.get_by_role("dialog").first
        dialog.get_by_text("Select a partition").click()
        for document_id in documents.ids[:2]:
            page.get_by_role("menuitem", name=document_id).click()
        page.keyboard.press("Escape")
        dialog.get_by_role("button", name="Launch backfill").click()
        page.get_by_role("link", name="View", exact=True).first.click()
        page.wait_for_url("**/runs/b/*")
        return page.url


@pytest.fixture
def page(browser: Browser, ui: Ui) -> Iterator[Page]:
    with page_of(ui, browser) as made:
        yield made


@contextmanager
def page_of(ui: Ui, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(base_url=ui.url, viewport={"width": 1600, "height": 1000})
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    try:
        yield context.new_page()
    finally:
        context.close()


def materialize(page: Page, asset: str, document_id: str) -> None:
    """Start a run of one partition of one asset, and go to the run's page."""
    page.goto(f"/assets/{asset}?view=partitions&partition={document_id}")
    page.get_by_role("button", name="Materialize…").click()
    page.get_by_role("dialog").get_by_role("button", name="Launch 1 run").click()
    page.get_by_role("link", name="View", exact=True).first.click()
    page.wait_for_url(RUN_PAGE)


def flip(page: Page) -> Locator:
    """Flip the switch of the sensor or schedule whose page this is, and return it."""
    row = page.get_by_role("row", name="Running")
    row.locator("label").click()  # the checkbox itself is hidden below the drawing of a switch
    return row.get_by_role("checkbox")


def test_the_lineage_shows_the_four_assets(page: Page, documents: Documents) -> None:
    page.goto("/asset-groups")
    for name in NAMES:
        expect(page.get_by_role("button", name=f"{name} {name}")).to_be_visible()


def test_one_partition_is_materialized(page: Page, documents: Documents) -> None:
    materialize(page, "chunks", documents.ids[2])
    expect(page.get_by_text("Success", exact=True)).to_be_visible()


def test_a_failed_run_says_why_and_what_to_do_and_succeeds_when_it_is_executed_again(
    page: Page, documents: Documents
) -> None:
    document_id, stored = documents.ids[3], documents.stored[3]
    content = stored.read_bytes()
    stored.write_bytes(b"damaged")
    materialize(page, "parsed_markdown", document_id)
    expect(page.get_by_text("Failure", exact=True)).to_be_visible()
    expect(page.get_by_role("row", name="code content_missing")).to_be_visible()
    expect(page.get_by_role("row", name=f"command ingest submit --document {document_id}")).to_be_visible()
    stored.write_bytes(content)
    failed = page.url
    page.get_by_role("button", name="Re-execute all").click()
    page.wait_for_url(lambda url: bool(RUN_PAGE.search(url)) and url != failed)
    expect(page.get_by_text("Success", exact=True)).to_be_visible()


def test_a_dead_letter_turns_one_asset_red_and_not_the_whole_lineage(
    page: Page, ingest: Ingest, tmp_path: Path
) -> None:
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 truncated")
    [submitted] = ingest("submit", tmp_path, "--wait", "--json").json
    assert submitted["code"] == "corrupt"
    page.goto("/asset-groups")
    expect(page.get_by_role("button", name="check_failed parsed_markdown")).to_be_visible()
    expect(page.get_by_role("button", name="check_failed")).to_have_count(1)
    page.goto("/assets/finalized_chunks?view=partitions")
    expect(page.get_by_text("Missing (1)")).to_be_visible()
    expect(page.get_by_text("Failed (0)")).to_be_visible()


def test_what_is_switched_off_on_the_page_is_named_by_doctor_until_it_is_on_again(page: Page, ingest: Ingest) -> None:
    for address in SWITCHED.values():
        page.goto(address)
        expect(flip(page)).not_to_be_checked()
    off = ingest("doctor", "--json")
    [switched_off] = [check for check in off.json if not check["ok"]]
    assert switched_off["code"] == "switched_off"
    assert all(name in switched_off["detail"] for name in SWITCHED)
    for address in SWITCHED.values():
        page.goto(address)
        expect(flip(page)).to_be_checked()
    on = ingest("doctor", "--json")
    assert on.code == 0, on.stdout


def test_the_launchpad_launches_a_drain_run_with_one_click(page: Page) -> None:
    page.goto("/locations/ingest_assets/jobs/drain_queue/playground")
    page.get_by_role("button", name="Launch Run").click()
    page.wait_for_url(RUN_PAGE)
    expect(page.get_by_text("Success", exact=True)).to_be_visible()


def test_a_backfill_over_two_partitions_ends(page: Page, backfill: str) -> None:
    page.goto(backfill)
    expect(page.get_by_text("Succeeded", exact=True).first).to_be_visible()
    expect(page.get_by_text("100% completed")).to_have_count(len(NAMES))
