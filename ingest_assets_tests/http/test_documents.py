"""Documents over HTTP: taken in, followed, found, deleted."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from urllib.parse import quote, urlsplit
from uuid import uuid4

import httpx
import psycopg
import pytest

from ingest_assets.adapters.postgres.locks import held, intake_of
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.http.ports import Limits
from ingest_assets_tests.documents import drain_all, policy_text
from ingest_assets_tests.http.api import Api, assert_problem, serving
from ingest_assets_tests.sample_files import scanned_pdf

MEGABYTE = 1024 * 1024


def test_a_document_is_taken_in_followed_found_and_deleted(api: Api, deployment: Deployment) -> None:
    submitted = api.submit(policy_text("Zebra"), "zebra policy.md")
    assert (submitted.status_code, submitted.json()["status"]) == (202, "queued")
    path = submitted.headers["location"]
    assert path == f"/v1/documents/{submitted.json()['document_id']}"
    assert api("GET", path).json()["searchable"] is False

    drain_all(deployment)
    status = api("GET", path).json()
    assert (status["searchable"], status["stage"], status["state"]) == (True, "embedded", "done")
    assert (status["filename"], status["media_type"]) == ("zebra policy.md", "text/markdown")
    assert [event["stage"] for event in api("GET", f"{path}/events").json()][-1] == "embedded"
    [hit] = api("POST", "/v1/search", json={"query": "zebra", "limit": 1}).json()
    assert (hit["document_id"], hit["filename"]) == (status["document_id"], "zebra policy.md")

    assert api("DELETE", path).status_code == 204
    assert_problem(api("GET", path), 404, "unknown_document")
    assert api("DELETE", path).status_code == 204
    assert_problem(api.of(UserId(uuid4()))("DELETE", path), 404, "unknown_document")
    assert api("POST", "/v1/search", json={"query": "zebra"}).json() == []


def test_what_could_not_be_read_is_said_with_the_status(api: Api, deployment: Deployment) -> None:
    path = api.submit(scanned_pdf("The walrus is covered."), "scan.pdf").headers["location"]
    drain_all(deployment)
    status = api("GET", path).json()
    assert (status["searchable"], status["warnings"]) == (True, [{"kind": "pages_without_text", "count": 1}])


def test_what_became_of_attachments_is_told_to_their_owner_only(
    api: Api, other_user: UserId, deployment: Deployment
) -> None:
    message = EmailMessage()
    message.set_content("See the attachments.")
    for name in ("policy.md", "noise.bin"):
        message.add_attachment(b"The walrus.", maintype="application", subtype="octet-stream", filename=name)
    path = api.submit(message.as_bytes(), "mail.eml").headers["location"]
    drain_all(deployment)
    drain_all(deployment)
    policy, noise = api("GET", f"{path}/attachments").json()
    assert (policy["path"], policy["searchable"], policy["state"]) == ("policy.md", True, "done")
    assert api("GET", f"/v1/documents/{policy['document_id']}").json()["filename"] == "policy.md"
    assert (noise["path"], noise["document_id"], noise["code"]) == ("noise.bin", None, "unsupported")
    assert_problem(api.of(other_user)("GET", f"{path}/attachments"), 404, "unknown_document")


def test_nobody_sees_or_touches_anothers_document(api: Api, other_user: UserId, deployment: Deployment) -> None:
    path = api.submit(policy_text("Zebra")).headers["location"]
    drain_all(deployment)
    stranger, unknown = api.of(other_user), f"/v1/documents/{uuid4()}"
    for method, suffix in [("GET", ""), ("GET", "/events"), ("DELETE", "")]:
        foreign, missing = stranger(method, path + suffix), stranger(method, unknown + suffix)
        assert_problem(foreign, 404, "unknown_document")
        assert (foreign.json(), foreign.status_code) == (missing.json(), missing.status_code)
        assert set(foreign.headers) == set(missing.headers)
    assert stranger("POST", "/v1/search", json={"query": "zebra"}).json() == []
    assert stranger.submit(policy_text("Zebra")).json()["status"] == "queued"
    assert stranger.submit(policy_text("Zebra")).headers["location"] != path
    assert api("GET", path).json()["searchable"] is True


def test_the_same_content_again_makes_no_work(api: Api) -> None:
    first, again = api.submit(policy_text()).json(), api.submit(policy_text()).json()
    assert again == first | {"status": "unchanged"}


def test_another_content_is_another_document_unless_it_comes_from_the_same_source(api: Api) -> None:
    source = {"params": {"source": "crm/17"}}
    first = api.submit("one policy", "a.txt", **source).json()
    assert api.submit("another policy", "a.txt").json()["document_id"] != first["document_id"]
    changed = api.submit("a third policy", "a.txt", **source).json()
    assert (changed["document_id"], changed["status"]) == (first["document_id"], "new_version")


def test_a_higher_priority_is_worked_on_first(api: Api, deployment: Deployment) -> None:
    ids = [api.submit(f"policy {n}", "a.txt", params={"priority": n}).json()["document_id"] for n in (-100, 0, 100)]
    claimed = deployment.claims.claim("worker", 3, deployment.settings.lease)
    assert [str(job.document.document_id) for job in claimed] == ids[::-1]
    for priority in ("101", "-101", "high"):
        assert_problem(api.submit("a policy", "a.txt", params={"priority": priority}), 422, "invalid_request")


def test_a_form_and_the_header_name_a_file_too(api: Api) -> None:
    for name in ("policy.md", "Prämie “2026”.md"):
        content = policy_text(name).encode()
        form = api("POST", "/v1/documents", files={"note": (None, "x"), "file": (name, content)})
        assert api("GET", form.headers["location"]).json()["filename"] == name
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
        plain = api("POST", "/v1/documents", content=content, headers=headers)
        assert plain.json() == form.json() | {"status": "unchanged"}


def test_a_file_in_a_form_arrives_byte_for_byte(api: Api, deployment: Deployment) -> None:
    content = b"%PDF-1.4\r\n" + bytes(range(256)) + b"\r\n--\r\n\n\r"
    form = api("POST", "/v1/documents", files={"file": ("a.pdf", content)})
    assert form.status_code == 202, form.text
    assert api.submit(content, "a.pdf").json() == form.json() | {"status": "unchanged"}


@pytest.mark.parametrize("after", [b"each", b"-", b" x", b"\n", b"--x", b"-- \n"])
def test_a_line_that_only_begins_like_the_boundary_belongs_to_the_file(api: Api, after: bytes) -> None:
    content = b"All of this is covered.\r\n--b" + after + b"\r\nNothing else is."
    for first, last in [(b"--b\r\n", b"\r\n--b--"), (b"--bee\r\n--b \r\n", b"\r\n--b--\t\r\nThe end.")]:
        head = b'Content-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        form = api("POST", "/v1/documents", content=first + head + content + last, headers=headers)
        assert form.status_code == 202, form.text
        assert api.submit(content, "a.txt").json() == form.json() | {"status": "unchanged"}


def test_a_form_without_its_last_boundary_is_refused(api: Api) -> None:
    part = b'--b\r\nContent-Disposition: form-data; filename="a.txt"\r\n\r\nAll of this is covered.\r\n--b'
    for ending in (b"", b"-", b"each--\r\n"):
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        assert_problem(api("POST", "/v1/documents", content=part + ending, headers=headers), 422, "invalid_request")


def test_a_path_in_a_name_is_no_path(api: Api) -> None:
    path = api.submit(policy_text(), "../../etc/passwd.md").headers["location"]
    assert api("GET", path).json()["filename"] == "passwd.md"


def test_a_file_that_cannot_be_taken_has_the_code_of_the_command_line(api: Api, deployment: Deployment) -> None:
    assert_problem(api.submit(b"", "a.md"), 422, "empty_file")
    assert_problem(api.submit(bytes(range(256)) * 8, "noise.bin"), 415, "unsupported")
    assert_problem(api.submit(b"x", ""), 422, "invalid_request")
    assert_problem(api.submit(b"x", "n" * 1001), 422, "invalid_request")
    assert deployment.documents.counts()["documents"] == 0


def test_a_form_without_a_file_is_refused(api: Api) -> None:
    part = b"--b\r\nContent-Disposition: form-data; "
    for content_type, body in [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", part + b'name="file"\r\n\r\nx\r\n--b--'),
        ("multipart/form-data; boundary=b", part + b'filename="x.md"'),
    ]:
        answer = api("POST", "/v1/documents", content=body, headers={"Content-Type": content_type})
        assert_problem(answer, 422, "invalid_request")


def test_an_announced_length_above_25_megabytes_is_refused_before_a_byte_is_kept(api: Api) -> None:
    assert_problem(api.submit(b"word " * (26 * MEGABYTE // 5), "large.txt"), 413, "too_large")


def test_a_stream_is_cut_off_soon_after_25_megabytes(api: Api) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 400 * MEGABYTE:
            sent += MEGABYTE
            yield b"word " * (MEGABYTE // 5) + b"\n"

    try:
        answer = api("POST", "/v1/documents", params={"filename": "large.txt"}, content=endless())
    except httpx.TransportError:
        pass  # the connection was cut while it was still sending
    else:
        assert_problem(answer, 413, "too_large")
    assert 25 * MEGABYTE < sent < 100 * MEGABYTE


def test_exactly_25_megabytes_are_taken(api: Api) -> None:
    content = b"word\n" * (25 * MEGABYTE // 5)
    assert api("POST", "/v1/documents", files={"file": ("a.txt", content)}).status_code == 202
    assert_problem(api("POST", "/v1/documents", files={"file": ("a.txt", content + b"word\n")}), 413, "too_large")


def test_an_idempotency_key_gives_the_first_answer_again(api: Api, other_user: UserId) -> None:
    key = {"headers": {"Idempotency-Key": "order 66"}}
    first = api.submit("one policy", "a.txt", **key)
    again = api.submit("one policy", "a.txt", **key)
    assert (again.status_code, again.json(), again.headers["location"]) == (
        202,
        first.json(),
        first.headers["location"],
    )
    assert_problem(api.submit("another policy", "a.txt", **key), 409, "idempotency_conflict")
    assert api.of(other_user).submit("another policy", "a.txt", **key).status_code == 202


def test_a_late_repetition_does_not_bring_a_deleted_document_back(api: Api) -> None:
    key = {"headers": {"Idempotency-Key": "1"}}
    first = api.submit("one policy", "a.txt", **key)
    api("DELETE", first.headers["location"])
    assert api.submit("one policy", "a.txt", **key).json() == first.json()
    assert api("GET", first.headers["location"]).status_code == 404


def test_many_at_once_with_one_key_get_one_answer(api: Api) -> None:
    def submit(number: int) -> httpx.Response:
        return api.submit(f"policy {number % 2}", "a.txt", headers={"Idempotency-Key": "1"})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(submit, range(16)))
    assert sorted({answer.status_code for answer in answers}) == [202, 409]
    taken = [answer.json() for answer in answers if answer.status_code == 202]
    assert len(taken) == 8
    assert all(answer == taken[0] for answer in taken)


def test_a_client_that_leaves_while_it_sends_leaves_nothing_behind(api: Api, deployment: Deployment) -> None:
    def broken() -> Iterator[bytes]:
        yield b"word " * 1000
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        api("POST", "/v1/documents", params={"filename": "a.txt"}, content=broken())
    assert api("GET", "/healthz").status_code == 200
    assert deployment.documents.counts()["documents"] == 0


def test_searches_take_hostile_queries(api: Api) -> None:
    for query in ["a\x00b", "' OR 1=1 --", "<b>", "a & | ! ( : *", "🦓" * 500]:
        assert api("POST", "/v1/search", json={"query": query}).status_code == 200, query


def test_a_search_that_makes_no_sense_is_a_problem(api: Api) -> None:
    bodies = [
        b"",
        b"{",
        b"[]",
        b"[" * 20_000,
        b'{"query": ""}',
        b'{"query": " "}',
        b'{"query": "\\u0000"}',
        b'{"query": "\\ud800"}',
        b'{"query": "' + b"x" * 2001 + b'"}',
        b'{"query": "x", "limit": 0}',
        b'{"query": "x", "limit": 101}',
        b'{"query": "x", "user": 1}',
    ]
    for body in bodies:
        assert_problem(api("POST", "/v1/search", content=body), 422, "invalid_request")


def test_a_search_as_long_as_a_book_is_too_large(api: Api) -> None:
    assert_problem(api("POST", "/v1/search", json={"query": "x" * MEGABYTE}), 413, "too_large")


def test_a_body_that_never_ends_is_given_up(deployment: Deployment, user: UserId) -> None:
    limits = Limits(connections=10, arrival_seconds=2, trusted_proxies=None)
    with serving(deployment, user, limits=limits) as api:
        address = urlsplit(api.url)
        head = (
            f"POST /v1/documents?filename=a.md HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Authorization: Bearer {api.token}\r\nContent-Length: 100\r\n\r\nhalf a"
        )
        with socket.create_connection((address.hostname or "", address.port or 0), timeout=30) as connection:
            connection.sendall(head.encode())
            answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"request_timeout" in answer


def test_a_document_that_follows_another_request_without_waiting_for_its_answer_is_taken_in(api: Api) -> None:
    address = urlsplit(api.url)
    content = policy_text().encode()
    head = (
        f"GET /healthz HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n"
        f"POST /v1/documents?filename=a.md HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: Bearer {api.token}\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=30) as connection:
        connection.sendall(head.encode())
        first = connection.recv(4096)
        connection.sendall(content)
        answers = first + b"".join(iter(lambda: connection.recv(4096), b""))
    assert first.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 202 " in answers


def test_one_users_large_documents_leave_room_for_anothers(
    api: Api, user: UserId, other_user: UserId, database_url: str
) -> None:
    large = b"word\n" * (MEGABYTE // 5)
    blocked = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with ThreadPoolExecutor(4) as pool, psycopg.connect(database_url, autocommit=True) as connection:
        with held(database_url, intake_of(user)):
            waiting = [pool.submit(api.submit, large + b"%d" % number, "a.txt") for number in range(4)]
            while not connection.execute(blocked).fetchall():
                assert not any(each.done() for each in waiting)
            assert api.of(other_user).submit(large, "a.txt").status_code == 202
            assert not any(each.done() for each in waiting)
        assert [each.result().status_code for each in waiting] == [202] * 4


def test_no_thread_outlives_the_service(deployment: Deployment, user: UserId) -> None:
    with serving(deployment, user) as api:
        assert api.submit(b"word\n" * (MEGABYTE // 5), "a.txt").status_code == 202
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("large upload")]
