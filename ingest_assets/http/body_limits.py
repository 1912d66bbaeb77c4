"""Refuse bodies that are too large, or that arrive too slowly, and end connections whose body nobody reads."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest_assets.domain.errors import PermanentError, TransientError
from ingest_assets.http.problems import BodyRefused

LEAST_BYTES_PER_SECOND = 64 * 1024
LINGER_SECONDS = 5.0
LINGER_BYTES = 32 * 1024 * 1024


class BodyLimits:
    """Counts bytes while the application reads, and refuses at once if the announced length is too large."""

    def __init__(self, application: ASGIApp, limit_of: Callable[[Scope], int], seconds: float) -> None:
        """Let a body have as many bytes as `limit_of` says, and take `seconds` longer than at the least speed."""
        self._application = application
        self._limit_of = limit_of
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        body = _Body(receive, Headers(scope=scope), self._limit_of(scope), self._seconds)
        await self._application(scope, body.receive, _Answer(body, send).send)


def announced_length(headers: Headers) -> int | None:
    """Return how long the body says that it is: None if its end will tell."""
    if "transfer-encoding" in headers:
        return None
    length = headers.get("content-length", "0")
    return int(length) if length.isdecimal() else 0


class _Body:
    def __init__(self, receive: Receive, headers: Headers, limit: int, seconds: float) -> None:
        self._receive = receive
        self._announced = announced_length(headers)
        self._limit = limit
        self._seconds = seconds
        self._waited = 0.0
        self._received = 0
        self._refused = False
        self.complete = self._announced == 0
        self.abandoned = False

    async def receive(self) -> Message:
        """Return the next part of the body.

        Raises:
            BodyRefused: too_large or request_timeout: once; after that, the rest can be read and discarded.
        """
        if self.complete or self._refused:
            return await self._receive()
        if max(self._announced or 0, self._received) <= self._limit:
            message = await self._in_time()
            self._received += len(message.get("body", b""))
            self.complete = not message.get("more_body", False)
        if max(self._announced or 0, self._received) > self._limit:
            self._refused = True
            raise BodyRefused(PermanentError("too_large", limit=self._limit))
        return message

    async def discard(self) -> None:
        """Read and forget some of the rest. Otherwise many clients would see a reset before the answer."""
        end = self._received + LINGER_BYTES
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while not self.complete and self._received < end:
                    message = await self._receive()
                    self._received += len(message.get("body", b""))
                    self.complete = not message.get("more_body", False)

    async def _in_time(self) -> Message:
        """Wait for the sender, whom the time that the service takes between does not count against."""
        left = self._seconds + self._received / LEAST_BYTES_PER_SECOND - self._waited
        began = time.monotonic()
        try:
            # Unlike wait_for, this lets through what has arrived already, even if no time is left.
            async with asyncio.timeout(left):
                return await self._receive()
        except TimeoutError:
            self._refused = self.abandoned = True
            raise BodyRefused(TransientError("request_timeout", seconds=self._seconds)) from None
        finally:
            self._waited += time.monotonic() - began


class _Answer:
    """The answer to a request; if it begins before the body has arrived, the connection ends with it."""

    def __init__(self, body: _Body, send: Send) -> None:
        self._body = body
        self._send = send
        self._early = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and not self._body.complete:
            self._early = True
            message["headers"] = [*message.get("headers", []), (b"connection", b"close")]
        ends = message["type"] == "http.response.body" and not message.get("more_body", False)
        if not (self._early and ends) or self._body.abandoned:
            await self._send(message)
            return
        await self._send({**message, "more_body": True})
        await self._body.discard()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})
