"""The dashboards in a browser: light, dark and on a phone, with nothing from elsewhere and nothing that runs."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page
from pydantic import SecretStr

from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.domain.documents.document import UserId
from ingest_assets.http.login import Login
from ingest_assets.settings import LOCAL_USER
from ingest_assets_tests.conftest import TEMPLATE, _database, deployment_for, settings_for
from ingest_assets_tests.documents import drain_all, policy_text, submit
from ingest_assets_tests.http.api import SECRET, serving

PASSWORD = "correct horse"  # noqa: S105
DESK, PHONE = (1280, 900), (390, 844)
CONTRASTS = """() => {
  const linear = value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const rgba = color => color.match(/[0-9.]+/g).map(Number);
  const luminance = color => {
    const [r, g, b] = rgba(color).map(value => linear(value / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = element => {
    const color = getComputedStyle(element).backgroundColor;
    return rgba(color)[3] === 0 ? ground(element.parentElement) : color;
  };
  const says = element => [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
  return [...document.body.querySelectorAll(':not(svg *)')].filter(says).map(element => {
    const both = [getComputedStyle(element).color, ground(element)];
    const [dark, bright] = both.map(luminance).sort((a, b) => a - b);
    return [(bright + 0.05) / (dark + 0.05), element.innerText];
  });
}"""
"""How much each text differs from what it stands on, as WCAG 2 has it."""
BRIGHT = "() => Number(getComputedStyle(document.body).backgroundColor.match(/[0-9]+/)[0]) > 128"


@pytest.fixture(scope="module")
def address(
    browser: Browser, postgres: EmbeddedPostgres, parser: LocalParser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Of a service with documents that are done, that have failed and that wait."""
    home = tmp_path_factory.mktemp("home")
    password = home / "password"
    password.write_text(PASSWORD)
    user = UserId(LOCAL_USER)
    for url in _database(postgres, TEMPLATE):
        settings = settings_for(url, home).model_copy(update={"jwt_secret": SecretStr(SECRET)})
        with deployment_for(settings, parser) as deployment:
            for number in range(25):
                submit(deployment, user, policy_text(f"Subject {number}", number + 1), f"{number}.md")
            submit(deployment, user, b"%PDF-1.4 truncated", "bad.pdf")
            drain_all(deployment)
            submit(deployment, user, policy_text("Waiting"), "waiting.md")
            with serving(deployment, user, dashboards_login=Login(password)) as api:
                yield f"{api.url}/ops"


@contextmanager
def opened(browser: Browser, address: str, size: tuple[int, int], scheme: str = "light") -> Iterator[Page]:
    """The page in a window of this size; it must not complain, and must ask for nothing but itself."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
        http_credentials={"username": "dana", "password": PASSWORD},
    )
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address, timeout=60_000)
    yield page
    context.close()
    assert said == []
    assert set(asked) == {address}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_light_or_dark_as_the_reader_wants_it(browser: Browser, address: str, scheme: str) -> None:
    with opened(browser, address, DESK, scheme) as page:
        assert page.evaluate(BRIGHT) is (scheme == "light")
        found = page.evaluate(CONTRASTS)
        assert len(found) > 50
        assert [text for contrast, text in found if contrast < 4.5] == []


@pytest.mark.parametrize("size", [DESK, PHONE, (320, 640)], ids=["desk", "phone", "small phone"])
def test_nothing_is_wider_than_the_window(browser: Browser, address: str, size: tuple[int, int]) -> None:
    with opened(browser, address, size) as page:
        for details in page.locator("summary").all():
            details.click()
        assert page.evaluate("document.documentElement.scrollWidth") == size[0]
        for panel in page.locator(".panel").all():
            box = panel.bounding_box()
            assert box is not None
            assert 0 <= box["x"] < box["x"] + box["width"] <= size[0]


def test_charts_are_drawn_and_say_what_they_show(browser: Browser, address: str) -> None:
    with opened(browser, address, PHONE) as page:
        chart = page.get_by_role("img", name="Throughput, by hour")
        bar = chart.locator("rect").last.bounding_box()
        box = chart.bounding_box()
        assert bar is not None
        assert box is not None
        assert bar["height"] > box["height"] / 2
        assert bar["width"] > 3
        summary = page.get_by_text("The values of Throughput")
        table = page.get_by_role("region", name="The values of Throughput")
        assert not table.is_visible()
        summary.focus()
        page.keyboard.press("Enter")
        assert table.is_visible()
        assert "25" in table.inner_text()


def test_each_dashboard_is_found_by_its_link(browser: Browser, address: str) -> None:
    with opened(browser, address, PHONE) as page:
        for name in ("Operations", "Business", "Debugging"):
            page.get_by_role("link", name=name).click()
            assert page.get_by_role("region", name=name, exact=True).first.is_visible()
        assert page.get_by_text("Promise kept (SLA)").is_visible()
        assert page.get_by_role("row", name="corrupt parsing permanent 1").is_visible()
