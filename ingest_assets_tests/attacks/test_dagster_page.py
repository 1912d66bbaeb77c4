"""A web page of another origin, a rebound name or a stranger drives Dagster's page."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from ingest_assets_tests.attacks.dagster_page import CHANGE, QUERY, Page, browser, password_file, served

PASSWORD = "correct horse"  # noqa: S105
FOREIGN = {"Origin": "http://evil.example"}
OF_ANOTHER_PORT = {"Origin": "http://127.0.0.1:8000"}
NOWHERE = {"Origin": "null"}
NONSENSE = {"Origin": "http://["}
NEIGHBOUR = browser(site="same-site", mode="cors", dest="empty")


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:
        yield made


@pytest.fixture(scope="module")
def page(instance: dg.DagsterInstance) -> Iterator[Page]:
    with served(instance, hosts=("dagster.example.org",)) as page:
        yield page


@pytest.fixture
def locked_page(instance: dg.DagsterInstance, tmp_path: Path) -> Iterator[Page]:
    with served(instance, password_file=password_file(tmp_path, PASSWORD)) as page:
        yield page


def login(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"anybody:{password}".encode()).decode()}


def test_a_plain_link_changes_nothing(page: Page) -> None:
    for operation in (CHANGE, f"query A {QUERY} {CHANGE.replace('mutation', 'mutation B')}", "{" * 20_000, "{ ... }"):
        status, _ = page.get(operation, **browser(site="cross-site", mode="navigate", dest="document"))
        assert status == 405
    for path in ("/graphql/", "//graphql", "/%67raphql"):
        page.ask("GET", f"{path}?query=%7Bversion%7D&query={CHANGE.replace(' ', '%20').replace(chr(34), '%22')}")
    assert not page.is_changed


@pytest.mark.parametrize("sender", [FOREIGN, OF_ANOTHER_PORT, NOWHERE, NONSENSE, NEIGHBOUR], ids=str)
def test_a_page_of_another_origin_gets_nothing_by_any_method(page: Page, sender: dict[str, str]) -> None:
    assert page.post(CHANGE, **sender)[0] == 403
    assert page.post(CHANGE, **sender, Content_Type="text/plain")[0] == 403
    assert page.get(QUERY, **sender)[0] == 403
    assert page.ask("GET", "/logs/any/compute_logs/any/out", **sender)[0] == 403
    assert page.subscribe(CHANGE, **sender) == 403
    assert not page.is_changed


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "evil.example@localhost", "[", "", "10.0.0.1"],
)
def test_a_name_that_was_rebound_to_this_address_is_not_answered(page: Page, host: str) -> None:
    same = {"Host": host, "Origin": f"http://{host}"}
    assert page.post(CHANGE, **same)[0] in (400, 421)
    assert page.get(QUERY, Host=host)[0] in (400, 421)
    assert not page.is_changed


def test_the_page_itself_works(page: Page) -> None:
    own = f"http://127.0.0.1:{page.port}"
    assert page.ask("GET", "/")[0] == 200
    assert page.ask("GET", "/runs", **browser(site="cross-site", mode="navigate", dest="document"))[0] == 200
    assert page.get(QUERY)[0] == 200
    assert page.post(QUERY, Origin=own, **browser(site="same-origin", mode="cors", dest="empty"))[0] == 200
    assert page.subscribe(QUERY, Origin=own) == 101
    assert page.post(QUERY)[0] == 200, "scripts send no Origin"
    proxied = {"Host": "dagster.example.org", "Origin": "https://dagster.example.org"}
    assert page.post(QUERY, **proxied)[0] == 200


def test_without_the_password_nothing_but_the_versions_is_told(locked_page: Page) -> None:
    for wrong in ({}, login("wrong"), login(""), {"Authorization": "Basic ?"}, {"Authorization": f"Bearer {PASSWORD}"}):
        assert locked_page.ask("GET", "/", **wrong)[0] == 401
        assert locked_page.post(CHANGE, **wrong)[0] == 401
        assert locked_page.subscribe(CHANGE, **wrong) == 403
    assert locked_page.ask("GET", "/server_info")[0] == 200
    assert locked_page.post(CHANGE, **login(PASSWORD), **FOREIGN)[0] == 403, "the browser has been let in before"
    assert locked_page.post(QUERY, **login(PASSWORD))[0] == 200
    assert locked_page.subscribe(QUERY, **login(PASSWORD)) == 101
    assert not locked_page.is_changed


def test_a_password_that_cannot_be_read_lets_nobody_in(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    file = password_file(tmp_path, "")
    with served(instance, password_file=file) as page:
        assert page.ask("GET", "/", **login(""))[0] == 503
        file.unlink()
        assert page.ask("GET", "/", **login(""))[0] == 503


def test_whom_no_proxy_has_let_in_gets_nothing(instance: dg.DagsterInstance) -> None:
    with served(instance, user_header="X-Forwarded-User") as page:
        assert page.ask("GET", "/")[0] == 401
        assert page.ask("GET", "/", X_Forwarded_User="")[0] == 401
        assert page.post(QUERY, X_Forwarded_User="dana@example.org")[0] == 200
