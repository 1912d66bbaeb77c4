from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from ingest_assets_tests.browser.chromium import CHROMIUM, chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of one module."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: nothing was tried in a browser")
    with chromium() as launched:
        yield launched
