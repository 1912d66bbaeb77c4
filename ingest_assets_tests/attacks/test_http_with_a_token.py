"""Users who upload much at once, slowly, or in forms of nothing but parts: memory stays, and others are served."""

import os
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from ingest_assets_tests.http.api import token_of
from ingest_assets_tests.http.process import Served, is_over, serve

MEGABYTE = 1024 * 1024
SIZE = 25 * MEGABYTE
needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")


def policy_of(number: int) -> bytes:
    return f"Policy {number}.\n".encode() + b"Theft is covered.\n" * ((SIZE - 100) // 18)


@needs_proc
def test_parallel_uploads_of_25_megabytes_leave_memory_flat_and_health_answering(
    database_url: str, tmp_path: Path
) -> None:
    users = [uuid4() for _ in range(2)]
    with serve(database_url, tmp_path) as served, ThreadPoolExecutor(24) as pool:
        running = [
            pool.submit(served.submit, users[number % 2], policy_of(number), f"{number}.txt") for number in range(24)
        ]
        while not all(each.done() for each in running):
            assert served.is_alive()
        answers = [each.result() for each in running]
        peak = served.peak_memory
    assert {answer.status_code for answer in answers} <= {202, 429, 503}
    assert sum(answer.status_code == 202 for answer in answers) >= 2
    assert all("retry-after" in answer.headers for answer in answers if answer.status_code != 202)
    assert peak < 500 * MEGABYTE


def slowly(served: Served, user: object) -> socket.socket:
    """Begin to upload a file of the largest size, and wait until the service reads it."""
    connection = served.connect()
    connection.sendall(
        f"POST /v1/documents?filename=a.txt HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer {token_of(user)}\r\n"
        f"Expect: 100-continue\r\nContent-Length: {SIZE}\r\n\r\n".encode()
    )
    assert connection.recv(4096).startswith(b"HTTP/1.1 100 ")
    return connection


def test_who_uploads_slowly_is_told_to_wait_and_others_are_served_until_the_service_is_full(
    database_url: str, tmp_path: Path
) -> None:
    slow, other, third = uuid4(), uuid4(), uuid4()
    limits = {"INGEST_UPLOADS_PER_USER": "2", "INGEST_UPLOADS_AT_ONCE": "3", "INGEST_ARRIVAL_SECONDS": "600"}
    with serve(database_url, tmp_path, **limits) as served:
        with slowly(served, slow), slowly(served, slow):
            refused = served.submit(slow, b"A small policy.", "a.txt")
            assert (refused.status_code, refused.json()["code"]) == (429, "uploads_of_user_full")
            assert refused.headers["retry-after"]
            assert served.submit(other, b"A small policy.", "a.txt").status_code == 202
            with slowly(served, other):
                full = served.submit(third, b"A small policy.", "a.txt")
                assert (full.status_code, full.json()["code"]) == (503, "uploads_full")
                assert full.headers["retry-after"]
        answers = [served.submit(slow, policy_of(number), f"{number}.txt") for number in range(3)]
    assert [answer.status_code for answer in answers] == [202] * 3


def test_if_there_are_too_many_bodies_that_do_not_come_make_room_and_one_that_comes_does_not(
    database_url: str, tmp_path: Path
) -> None:
    limits = {"INGEST_CONNECTIONS": "4", "INGEST_ARRIVAL_SECONDS": "600"}
    content = b"word\n" * (SIZE // 5)
    hostile = uuid4()
    with serve(database_url, tmp_path, **limits) as served, slowly(served, uuid4()) as honest:
        honest.sendall(content[: 5 * MEGABYTE])
        with slowly(served, hostile) as first, slowly(served, hostile) as second, slowly(served, hostile) as third:
            newcomers = [served.connect() for _ in range(3)]
            assert all(map(is_over, (first, second, third)))
        assert served.is_alive()
        honest.sendall(content[5 * MEGABYTE :])
        assert honest.recv(4096).startswith(b"HTTP/1.1 202 ")
        for each in newcomers:
            each.close()


FIELD = b"--b\r\nContent-Disposition: form-data; name=x\r\n\r\nx\r\n"
LONG_HEAD = b"--b\r\nX: " + b"y" * 9000 + b"\r\n"


@needs_proc
@pytest.mark.parametrize("part", [b"--b\r\n\r\n", FIELD, LONG_HEAD], ids=["empty", "fields", "long heads"])
def test_a_form_of_nothing_but_parts_ends_early(database_url: str, tmp_path: Path, part: bytes) -> None:
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    with serve(database_url, tmp_path) as served:
        refused = served.submit(uuid4(), part * (SIZE // len(part)), "a.txt", **form)
        spent = Path(f"/proc/{served.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        peak = served.peak_memory
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    assert (int(spent[11]) + int(spent[12])) / os.sysconf("SC_CLK_TCK") < 20
    assert peak < 300 * MEGABYTE
