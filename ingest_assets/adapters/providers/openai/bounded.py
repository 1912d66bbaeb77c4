"""Between OpenAI's client and the network: an answer is not unpacked, and not read without end."""

import time
from collections.abc import Iterator
from typing import cast

import httpx2

from ingest_assets.adapters.providers.bounded_answers import PLAIN, Bound, is_plain
from ingest_assets.adapters.providers.openai.failures import NAME
from ingest_assets.domain.errors import TransientError


class BoundedStream(httpx2.SyncByteStream):
    """An answer's body, whose reading ends by an error if it is too large or arrives too slowly."""

    def __init__(self, body: httpx2.SyncByteStream, seconds: float) -> None:
        self._body = body
        self._seconds = seconds

    def __iter__(self) -> Iterator[bytes]:
        bound, ends_at = Bound(NAME), time.monotonic() + self._seconds
        for part in self._body:
            if time.monotonic() > ends_at:
                raise _too_slow()
            yield bound.passed(part)

    def close(self) -> None:
        self._body.close()


class UnreadStream(BoundedStream):
    """An answer's body of which nothing is read."""

    def __iter__(self) -> Iterator[bytes]:
        return iter(())


def ask_plainly(request: httpx2.Request) -> None:
    """Ask for an answer that is not compressed."""
    request.headers["Accept-Encoding"] = PLAIN


def bound(response: httpx2.Response, seconds: float) -> None:
    """Let no more be read of an answer than is good; a compressed one counts as empty, whatever its status."""
    kind = BoundedStream if is_plain(response.headers) else UnreadStream
    response.headers.pop("Content-Encoding", None)
    response.stream = kind(cast("httpx2.SyncByteStream", response.stream), seconds)


def _too_slow() -> TransientError:
    failure = TransientError("service_slow", name=NAME)
    failure.may_have_cost = True
    return failure
