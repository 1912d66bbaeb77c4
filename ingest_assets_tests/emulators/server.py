"""What the emulated providers share: a real server on 127.0.0.1, and a plan of when it misbehaves."""

import json
import random
import socket
import struct
import sys
import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER on, for no time: closing the socket sends RST."""


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    """Without the query."""
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes


class Ending(Enum):
    COMPLETE = auto()
    RESET = auto()
    """The connection is reset instead of answered."""
    STALL = auto()
    """Nothing is sent until the client hangs up or the emulator closes."""
    ENDLESS = auto()
    """The body is sent again and again until the client hangs up or the emulator closes."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: Ending = Ending.COMPLETE
    pause: float = 0.0
    """The seconds between two parts of an endless answer."""


def json_reply(status: int, content: object, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, json.dumps(content).encode(), {"Content-Type": "application/json", **(headers or {})})


def truncated(reply: Reply) -> Reply:
    """The same with half of its body, as if that were all."""
    return Reply(reply.status, reply.body[: len(reply.body) // 2], reply.headers)


BAD_GATEWAY = Reply(
    502,
    b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>",
    {"Content-Type": "text/html"},
)
RESET = Reply(0, ending=Ending.RESET)
STALL = Reply(0, ending=Ending.STALL)


class Plan:
    """Which fault each call meets, in the order of the calls: a script first, then chance from a seed."""

    def __init__(
        self,
        script: Iterable[StrEnum | None] = (),
        *,
        faults: Sequence[StrEnum] = (),
        share: float = 0.0,
        seed: int = 0,
    ) -> None:
        self._script = list(script)
        self._faults = faults
        self._share = share
        self._random = random.Random(seed)  # noqa: S311
        self._lock = threading.Lock()

    def next(self) -> StrEnum | None:
        with self._lock:
            if self._script:
                return self._script.pop(0)
            if not self._faults or self._random.random() >= self._share:
                return None
            return self._random.choice(self._faults)


class Emulator(ABC):
    """A service while the context is open. Each request is answered in a thread of its own."""

    address = "127.0.0.1"

    def __init__(self, plan: Plan | None = None) -> None:
        self.plan = plan or Plan()
        self.calls: Counter[str] = Counter()
        """By "METHOD /path", whatever became of them."""
        self.faults: Counter[str] = Counter()
        """How often each fault was met."""
        self.lock = threading.Lock()
        """Held by whoever changes a counter."""
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True)

    @abstractmethod
    def answer(self, request: Request) -> Reply: ...

    def next_fault(self) -> StrEnum | None:
        fault = self.plan.next()
        if fault is not None:
            with self.lock:
                self.faults[fault] += 1
        return fault

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((emulator.address, 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Ends what clients keep open, and with it the threads that wait for them."""
        with self._lock:
            for connection in self._connections:
                _shut(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # a client that hangs up is no fault of the emulator's
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    _between_parts = threading.Event()
    """Never set."""

    def do_POST(self) -> None:
        self._serve()

    do_GET = do_PUT = do_DELETE = do_PATCH = do_POST  # noqa: N815

    def _serve(self) -> None:
        emulator = self.server.emulator
        request = self._request()
        with emulator.lock:
            emulator.calls[f"{request.method} {request.path}"] += 1
        self._send(emulator.answer(request))

    def _request(self) -> Request:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        return Request(self.command, parts.path, parse_qs(parts.query), headers, body)

    def _send(self, reply: Reply) -> None:
        if reply.ending is Ending.COMPLETE:
            self._send_whole(reply)
            return
        self.close_connection = True
        if reply.ending is Ending.ENDLESS:
            self._send_without_end(reply)
        if reply.ending is Ending.STALL:
            self.rfile.read(1)  # returns when the client hangs up, or the emulator does
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.connection.close()

    def _send_whole(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def _send_without_end(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        while True:  # ends by an OSError
            self.wfile.write(reply.body)
            self._between_parts.wait(reply.pause)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
        """Quiet."""


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # gone already
