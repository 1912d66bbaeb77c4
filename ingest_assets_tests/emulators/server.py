"""What the emulated services share: a real HTTP server on 127.0.0.1 that counts, and errs by a plan."""

import json
import socket
import struct
import threading
from abc import ABC, abstractmethod
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Self
from urllib.parse import parse_qs, urlsplit

HTML_ERROR = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


class Fault(StrEnum):
    """What may go wrong with a call to any service. A service's emulator may know more of its own."""

    BUSY = "429"
    BUSY_WITH_RETRY_AFTER = "429 with Retry-After"
    SERVER_ERROR = "500"
    BAD_GATEWAY = "502 with HTML"
    UNAUTHORISED = "401"
    UNPAID = "402"
    RESET = "connection reset before the call is served"
    LOST_ANSWER = "connection reset after the call is served"
    STALL = "no answer"
    TRUNCATED = "JSON that ends in the middle"


class Plan:
    """Which calls go wrong: first those scripted for their operation, then a seeded share of all others."""

    def __init__(self, faults: Sequence[str] = (), share: float = 0.0, seed: int = 0) -> None:
        self._faults = list(faults)
        self._share = share
        self._random = Random(seed)  # noqa: S311
        self._scripts: defaultdict[str, deque[str | None]] = defaultdict(deque)
        self._lock = threading.Lock()

    def script(self, operation: str, *faults: str | None) -> None:
        """The next calls of `operation` meet these, in order; None: served well."""
        with self._lock:
            self._scripts[operation].extend(faults)

    def next(self, operation: str) -> str | None:
        with self._lock:
            if self._scripts[operation]:
                return self._scripts[operation].popleft()
            if self._faults and self._random.random() < self._share:
                return self._random.choice(self._faults)
            return None


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    @property
    def bearer(self) -> str | None:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" else None


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def json_answer(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, json.dumps(content).encode(), headers=headers or {})


class Emulator(ABC):
    """Serves while it is entered. `counts` holds what it served and `errors` what went wrong in the emulator itself."""

    def __init__(self, plan: Plan | None = None, *, keys: Sequence[str] = ("test-key",)) -> None:
        self.plan = plan or Plan()
        self.keys = set(keys)
        self.retry_after = "0"
        self.counts: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.requests: list[Request] = []
        self.errors: list[BaseException] = []
        self.lock = threading.RLock()
        self.closing = threading.Event()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        assert not self.errors, self.errors

    @abstractmethod
    def operation(self, request: Request) -> str:
        """The name under which this call is counted and planned."""

    @abstractmethod
    def serve(self, request: Request, fault: str | None) -> Answer:
        """`fault` is one of the service's own, or None."""

    def error(self, status: int, message: str) -> Answer:
        """An error in the service's own words."""
        return json_answer({"detail": message}, status)

    def answer(self, request: Request) -> Answer | None:
        """None: the connection breaks instead."""
        operation = self.operation(request)
        fault = self.plan.next(operation)
        with self.lock:
            self.requests.append(request)
            self.counts[operation] += 1
            self.faults[fault or ""] += 1
        if fault == Fault.STALL:
            self.closing.wait(60)
        if fault in {Fault.STALL, Fault.RESET}:
            return None
        return self._refusal(request, fault) or self._served(request, fault)

    def _refusal(self, request: Request, fault: str | None) -> Answer | None:
        if request.bearer not in self.keys or fault == Fault.UNAUTHORISED:
            return self.error(401, "Invalid API key")
        if fault == Fault.UNPAID:
            return self.error(402, "You have no credits left")
        if fault == Fault.BUSY:
            return self.error(429, "Too many requests")
        if fault == Fault.BUSY_WITH_RETRY_AFTER:
            busy = self.error(429, "Too many requests")
            return Answer(busy.status, busy.body, headers={"Retry-After": self.retry_after})
        if fault == Fault.SERVER_ERROR:
            return self.error(500, "Internal server error")
        if fault == Fault.BAD_GATEWAY:
            return Answer(502, HTML_ERROR, "text/html")
        return None

    def _served(self, request: Request, fault: str | None) -> Answer | None:
        common = fault in set(Fault)
        served = self.serve(request, None if common else fault)
        if fault == Fault.LOST_ANSWER:
            return None
        if fault == Fault.TRUNCATED:
            return Answer(served.status, served.body[: len(served.body) // 2], served.content_type)
        return served


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no error of the emulator's."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def _answer(self) -> None:
        address = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, address.path, parse_qs(address.query), dict(self.headers.items()), body)
        try:
            answer = self.server.emulator.answer(request)
        except Exception as error:
            self.server.emulator.errors.append(error)
            raise
        if answer is None:
            self._reset()
        else:
            self._send(answer)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        headers = {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body)), **answer.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
