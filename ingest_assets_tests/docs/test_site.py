"""The documentation's site is built without a warning, and loads nothing from another address."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from documentation.site import BESIDE, GATHERED, gather
from ingest_assets_tests.docs.pages import PAGES, ROOT, name_of

ZENSICAL = ROOT / ".venv/docs/bin/zensical"
CONFIGURATION = "zensical.toml"
LOADED = re.compile(r"<(?:script|img|iframe|source)[^>]* src=\"?([^\"\s>]+)|<link[^>]* href=\"?([^\"\s>]+)")

needs_zensical = pytest.mark.skipif(not ZENSICAL.exists(), reason="the docs environment is not installed: make docs")


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build the site from the pages that are gathered in the folder."""
    shutil.copy(ROOT / CONFIGURATION, folder)
    command = [str(ZENSICAL), "build", "--strict"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    gather(folder / GATHERED.relative_to(ROOT))
    return folder


@needs_zensical
def test_the_site_is_built_without_a_warning_and_loads_nothing_from_elsewhere(folder: Path) -> None:
    built = build(folder)
    assert built.returncode == 0, built.stdout + built.stderr
    site = folder / "site"
    shown = {str(path.relative_to(site)) for path in site.rglob("*.html")}
    for page in PAGES:
        assert name_of(page).replace("README.md", "index.md").replace(".md", ".html") in shown
    loaded = [
        address for path in site.rglob("*.html") for found in LOADED.findall(path.read_text()) for address in found
    ]
    assert loaded
    assert [address for address in loaded if "//" in address] == []


@needs_zensical
def test_a_link_that_leads_nowhere_stops_the_build(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(folder / "build", broken / "build")
    page = broken / GATHERED.relative_to(ROOT) / "docs" / "glossary.md"
    page.write_text(page.read_text() + "\n[nowhere](nowhere.md)\n")
    assert build(broken).returncode != 0


def test_every_page_is_reached_by_the_navigation_or_by_the_list_of_decisions() -> None:
    listed = (ROOT / CONFIGURATION).read_text()
    unlisted = {name for page in PAGES if f'"{(name := name_of(page))}"' not in listed}
    assert all(name.startswith("docs/decisions/0") for name in unlisted)
    assert all(f'"{name}"' in listed for name in BESIDE if name.endswith(".md"))
