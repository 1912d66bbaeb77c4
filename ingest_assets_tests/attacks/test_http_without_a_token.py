"""Clients without a token that send slowly, endlessly or too often, or do not read: others do not notice them."""

import contextlib
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_assets_tests.http.process import Served, is_over, serve

MEGABYTE = 1024 * 1024
HALF_A_HEAD = b"GET /healthz HTTP/1.1\r\nHost: a.example\r\n"


@contextlib.contextmanager
def connections(served: Served, number: int) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(served.connect()) for _ in range(number)]


@pytest.mark.parametrize("start", [HALF_A_HEAD + b"X-Endless: ", HALF_A_HEAD, b"GET /"], ids=["value", "lines", "path"])
def test_a_head_without_end_is_cut_off_soon(database_url: str, tmp_path: Path, start: bytes) -> None:
    part = b"X-More: 1\r\n" * 6000 if start == HALF_A_HEAD else b"x" * 65536
    sent = 0
    with serve(database_url, tmp_path) as served, served.connect() as connection:
        connection.sendall(start)
        with contextlib.suppress(ConnectionError):
            while sent < 32 * MEGABYTE:
                connection.sendall(part)
                sent += len(part)
        assert sent < 32 * MEGABYTE
        assert served.is_alive()


def test_600_clients_that_never_finish_end_and_honest_ones_are_served_meanwhile(
    database_url: str, tmp_path: Path
) -> None:
    limits = {"INGEST_CONNECTIONS": "700", "INGEST_ARRIVAL_SECONDS": "10"}
    with serve(database_url, tmp_path, **limits) as served, connections(served, 600) as slow:
        for number, connection in enumerate(slow):
            with contextlib.suppress(ConnectionError):
                connection.sendall(HALF_A_HEAD if number % 2 else b"")
        assert all(served.is_alive() for _ in range(10))
        assert all(map(is_over, slow))


def test_if_there_are_too_many_the_slowest_make_room_for_the_honest(database_url: str, tmp_path: Path) -> None:
    limits = {"INGEST_CONNECTIONS": "20", "INGEST_ARRIVAL_SECONDS": "600"}
    with serve(database_url, tmp_path, **limits) as served, connections(served, 60) as slow:
        for connection in slow:
            with contextlib.suppress(ConnectionError):
                connection.sendall(HALF_A_HEAD)
        assert all(served.is_alive() for _ in range(10))
        assert all(map(is_over, slow[:40]))


@pytest.mark.parametrize("path", ["/v1/documents", "/v1/search", "/healthz", "/nowhere", "/v1/webhooks/llamaparse"])
def test_a_body_that_trickles_ends_with_its_connection(database_url: str, tmp_path: Path, path: str) -> None:
    signature = f"sha256={'0' * 64}"
    head = f"POST {path} HTTP/1.1\r\nHost: a.example\r\nContent-Length: 50000\r\nLC-Signature: {signature}\r\n\r\n"
    limits = {"INGEST_ARRIVAL_SECONDS": "1", "INGEST_LLAMAPARSE_WEBHOOK_SECRET": "s" * 40}
    with serve(database_url, tmp_path, **limits) as served, served.connect() as connection:
        connection.sendall(head.encode())
        answer = b""
        deadline = time.monotonic() + 120
        with contextlib.suppress(ConnectionError):
            while time.monotonic() < deadline:
                connection.sendall(b"x")
                if select.select([connection], [], [], 0.1)[0]:
                    part = connection.recv(4096)
                    answer += part
                    if not part:
                        break
        assert time.monotonic() < deadline
        assert answer.startswith(b"HTTP/1.1 4")


def test_a_body_of_crumbs_is_cut_off_and_others_are_served_meanwhile(database_url: str, tmp_path: Path) -> None:
    head = b"POST /v1/documents HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"
    with serve(database_url, tmp_path) as served, connections(served, 8) as hostile:
        for connection in hostile:
            sent = 0
            with contextlib.suppress(ConnectionError):
                connection.sendall(head)
                while sent < 4 * MEGABYTE:
                    connection.sendall(b"1\r\nx\r\n" * 10_000)
                    sent += 60_000
            assert sent < 4 * MEGABYTE
            assert served.is_alive()


def test_a_client_that_reads_no_answer_is_cut_off(database_url: str, tmp_path: Path) -> None:
    asked = b"GET /openapi.json HTTP/1.1\r\nHost: a.example\r\n\r\n" * 1000
    with serve(database_url, tmp_path, INGEST_ARRIVAL_SECONDS="1") as served, served.connect(120) as connection:
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 100 * MEGABYTE:
                connection.sendall(asked)
                sent += len(asked)
        assert sent < 100 * MEGABYTE
        assert served.is_alive()


def test_an_idle_connection_ends(database_url: str, tmp_path: Path) -> None:
    with serve(database_url, tmp_path, INGEST_ARRIVAL_SECONDS="1") as served, served.connect() as connection:
        connection.sendall(HALF_A_HEAD + b"\r\n")
        assert is_over(connection)
