"""Originals over HTTP: the bytes that were submitted, to be saved, and for their owner only."""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.documents.download import Download, passive_type
from ingest_assets.http.downloads import DownloadLimits, Downloads
from ingest_assets.settings import Settings
from ingest_assets_tests.documents import policy_text
from ingest_assets_tests.http.api import Api, assert_problem, serving
from ingest_assets_tests.seaweedfs import BUCKET, SeaweedFS, needs_seaweedfs, seaweedfs
from ingest_assets_tests.waiting import until

PAGE = "<html><body><script>alert(document.domain)</script><p>Hail is covered.</p></body></html>"
LONG = "# A policy\n\n" + "Hail is covered. " * 60_000
LONGEST = LONG * 10
"""More than the buffers of a connection hold."""


@pytest.fixture(scope="module")
def buckets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield server


@pytest.fixture
def in_bucket(http_settings: Settings, buckets: SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in buckets.environment.items():
        monkeypatch.setenv(name, value)
    return http_settings.model_copy(update={"storage_url": f"s3://{BUCKET}/{uuid4()}"})


@pytest.fixture
def api_on_bucket(in_bucket: Settings, user: UserId) -> Iterator[Api]:
    yield from served(in_bucket, user)


def served(settings: Settings, user: UserId) -> Iterator[Api]:
    deployment = Deployment(settings)
    with serving(deployment, user) as api:
        yield api
    deployment.close()


def submitted(api: Api, content: str, name: str = "policy.md") -> str:
    answered = api.submit(content, name)
    assert answered.status_code == 202, answered.text
    return f"{answered.headers['location']}/content"


@pytest.mark.parametrize("content", ["# Hail is covered.\n", LONG])
def test_a_document_is_handed_out_as_it_was_submitted(api: Api, content: str) -> None:
    answered = api("GET", submitted(api, content, 'Ä "policy" 50%.md'))
    assert (answered.status_code, answered.text) == (200, content)
    assert int(answered.headers["content-length"]) == len(content)
    assert answered.headers["content-type"] == "text/markdown"
    said = "attachment; filename=\"_ _policy_ 50_.md\"; filename*=UTF-8''%C3%84%20%22policy%22%2050%25.md"
    assert answered.headers["content-disposition"] == said


def test_no_browser_runs_what_is_in_a_document(api: Api) -> None:
    answered = api("GET", submitted(api, PAGE, "page.html"))
    assert answered.text == PAGE
    assert answered.headers["content-type"] == "application/octet-stream"
    assert answered.headers["content-disposition"].startswith("attachment; ")
    assert answered.headers["x-content-type-options"] == "nosniff"
    assert answered.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answered.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("passive", ["application/pdf", "text/markdown", "image/png", "text/plain"])
def test_what_browsers_only_show_keeps_its_type(passive: str) -> None:
    assert passive_type(passive) == passive


@pytest.mark.parametrize(
    "active", ["text/html", "application/xhtml+xml", "image/svg+xml", "text/XML", "message/rfc822", "text/javascript"]
)
def test_what_browsers_run_is_of_no_type(active: str) -> None:
    assert passive_type(active) == "application/octet-stream"


@pytest.mark.parametrize("name", ["a\r\nSet-Cookie: b", 'a"; filename="b.exe', "a\\", "ü" * 90])
def test_no_file_name_adds_to_a_header(name: str) -> None:
    said = Download(name, "text/plain", 0).disposition
    assert said.isascii()
    assert said.isprintable()
    assert said.count('"') == 2


def test_others_and_the_nameless_get_nothing(api: Api) -> None:
    path = submitted(api, policy_text("Zebra"))
    assert_problem(api.of(UserId(uuid4()))("GET", path), 404, "unknown_document")
    assert_problem(api.plainly("GET", path), 401, "token_missing")
    assert_problem(api("GET", f"/v1/documents/{uuid4()}/content"), 404, "unknown_document")


def test_bytes_that_are_gone_are_said_to_be_missing(api: Api, deployment: Deployment, user: UserId) -> None:
    path = submitted(api, policy_text("Zebra"))
    deployment.objects.delete_below(str(user))
    assert_problem(api("GET", path), 404, "content_missing")


def reading(api: Api, path: str) -> socket.socket:
    """Ask for a document, and read only the beginning of the answer."""
    address = urlsplit(api.url)
    reader = socket.create_connection((address.hostname, address.port), timeout=60)
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    request = f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {api.token}\r\n\r\n"
    reader.sendall(request.encode())
    assert reader.recv(12) == b"HTTP/1.1 200"
    return reader


def open_files_in(folder: Path) -> list[str]:
    """Return the files without a name that this process has open in a folder."""
    links: list[str] = []
    for each in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # others are closed meanwhile
            links.append(str(each.readlink()))
    return [link for link in links if link.startswith(f"{folder}/")]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="no /proc tells here which files are open")
def test_who_reads_slowly_is_told_to_wait_holds_up_nobody_and_leaves_nothing(
    deployment: Deployment, user: UserId, tmp_path: Path
) -> None:
    limited = Downloads(deployment.objects, tmp_path, 0, DownloadLimits(at_once=3, at_once_per_user=2))
    with serving(deployment, user, downloads=limited) as api:
        path = submitted(api, LONGEST)
        with reading(api, path), reading(api, path):
            assert len(open_files_in(tmp_path)) == 2
            refused = api("GET", path)
            assert_problem(refused, 429, "downloads_of_user_full")
            assert "retry-after" in refused.headers
            assert api("GET", path.removesuffix("/content")).status_code == 200
        until(lambda: not open_files_in(tmp_path))
        assert api("GET", path).text == LONGEST


@needs_seaweedfs
def test_from_a_bucket_a_client_is_sent_to_an_address_that_needs_no_token_and_is_good_for_a_minute(
    api_on_bucket: Api,
) -> None:
    path = submitted(api_on_bucket, PAGE, "Müller's page.html")
    answered = api_on_bucket("GET", path)
    assert (answered.status_code, answered.content) == (307, b"")
    assert (answered.headers["cache-control"], answered.headers["referrer-policy"]) == ("no-store", "no-referrer")
    address = answered.headers["location"]
    assert parse_qs(urlsplit(address).query)["X-Amz-Expires"] == ["60"]
    assert "ller" not in address
    with httpx.Client(trust_env=False, follow_redirects=True) as client:
        headers = {"Authorization": f"Bearer {api_on_bucket.token}"}
        followed = client.get(f"{api_on_bucket.url}{path}", headers=headers)
        assert "authorization" not in followed.request.headers
    assert (followed.status_code, followed.text) == (200, PAGE)
    assert followed.headers["content-type"] == "application/octet-stream"
    assert followed.headers["content-disposition"].startswith(f'attachment; filename="{path.split("/")[3]}.html"')
    assert_problem(api_on_bucket.of(UserId(uuid4()))("GET", path), 404, "unknown_document")
    assert api_on_bucket("DELETE", path.removesuffix("/content")).status_code == 204
    assert httpx.get(address, trust_env=False).status_code == 404


@needs_seaweedfs
def test_what_is_encrypted_is_handed_out_by_the_service_which_alone_can_read_it(
    in_bucket: Settings, user: UserId, tmp_path: Path
) -> None:
    key = tmp_path / "master-key"
    key.write_text(os.urandom(32).hex())
    key.chmod(0o600)
    for api in served(in_bucket.model_copy(update={"master_key_file": key}), user):
        answered = api("GET", submitted(api, LONG))
        assert (answered.status_code, answered.text) == (200, LONG)


@needs_seaweedfs
def test_the_service_hands_out_the_bytes_where_callers_cannot_reach_the_bucket(
    in_bucket: Settings, user: UserId
) -> None:
    for api in served(in_bucket.model_copy(update={"download_url_seconds": 0}), user):
        answered = api("GET", submitted(api, policy_text("Zebra")))
        assert (answered.status_code, answered.text) == (200, policy_text("Zebra"))
