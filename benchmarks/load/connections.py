"""A small HTTP/1.1 client: what the users cost must not hide what the service costs."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from urllib.parse import urlsplit

FRESH_SECONDS = 4.0
"""The service closes connections that have been idle for a little longer."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


@dataclass(slots=True)
class Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    idle_since: float = 0.0

    async def exchange(self, head: bytes, body: bytes) -> tuple[Answer, bool]:
        """Return the answer, and whether the connection may be used again."""
        self.writer.write(head + body)
        answered = await self.reader.readuntil(b"\r\n\r\n")
        status_line, _, rest = answered.partition(b"\r\n")
        headers = dict(line.split(b": ", 1) for line in rest.lower().split(b"\r\n") if line)
        content = await self.reader.readexactly(int(headers.get(b"content-length", b"0")))
        return Answer(int(status_line.split()[1]), content), headers.get(b"connection") != b"close"


class Connections:
    """Connections to one address that are kept open for the next request."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        assert address.hostname is not None
        self._host, self._port = address.hostname, address.port or 80
        self._idle: list[Connection] = []

    async def post(self, path: str, body: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
        """Post a body and return the answer.

        Raises:
            OSError: No whole answer came in time; TimeoutError is one, and so is what ends in the middle.
        """
        head = self._head(path, len(body), headers)
        try:
            async with asyncio.timeout(seconds):
                return await self._exchanged(head, body)
        except (asyncio.IncompleteReadError, ValueError) as error:
            raise ConnectionError("the answer is none") from error

    def close(self) -> None:
        for connection in self._idle:
            connection.writer.close()

    async def _exchanged(self, head: bytes, body: bytes) -> Answer:
        connection = self._kept() or Connection(*await asyncio.open_connection(self._host, self._port))
        reusable = False
        try:
            answer, reusable = await connection.exchange(head, body)
            return answer
        finally:
            if reusable:
                connection.idle_since = monotonic()
                self._idle.append(connection)
            else:
                connection.writer.close()

    def _kept(self) -> Connection | None:
        """Return the connection that was used last, if the service keeps it still."""
        while self._idle:
            connection = self._idle.pop()
            if monotonic() - connection.idle_since < FRESH_SECONDS and not connection.reader.at_eof():
                return connection
            connection.writer.close()
        return None

    def _head(self, path: str, length: int, headers: Mapping[str, str]) -> bytes:
        lines = [f"POST {path} HTTP/1.1", f"Host: {self._host}:{self._port}", f"Content-Length: {length}"]
        return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode()
