"""Refuse bodies that are too large, or that take too long to arrive."""

import asyncio
import time
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest_assets.domain.errors import TransientError
from ingest_assets.http.problems import BodyTooLarge, RefusalError

ARRIVAL_SECONDS = 300


class BodyLimits:
    """Counts bytes while the application reads, and refuses at once if the announced length is too large."""

    def __init__(self, application: ASGIApp, limit_of: Callable[[Scope], int]) -> None:
        self._application = application
        self._limit_of = limit_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            receive = _counted(receive, _announced(scope), self._limit_of(scope))
        await self._application(scope, receive, send)


def _announced(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "0")
    return int(length) if length.isdecimal() else 0


def _counted(receive: Receive, announced: int, limit: int) -> Receive:
    deadline = time.monotonic() + ARRIVAL_SECONDS
    received, complete = 0, False

    async def counted() -> Message:
        """Return the next part of the body.

        Raises:
            BodyTooLarge: Once; after that, the rest of the body can be read and discarded.
        """
        nonlocal received, complete
        if complete:
            return await receive()
        if announced <= limit:
            message = await _in_time(receive, deadline)
            received += len(message.get("body", b""))
            complete = not message.get("more_body", False)
        if max(announced, received) > limit:
            complete = True
            raise BodyTooLarge(limit)
        return message

    return counted


async def _in_time(receive: Receive, deadline: float) -> Message:
    try:
        return await asyncio.wait_for(receive(), deadline - time.monotonic())
    except TimeoutError:
        error = TransientError("request_timeout", seconds=ARRIVAL_SECONDS)
        raise RefusalError(error, {"Connection": "close"}) from None
