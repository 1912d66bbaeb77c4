"""The server that runs the application: uvicorn with h11, and the limits that it lacks."""

import asyncio
import logging
import socket
import time
from functools import partial
from typing import Any, cast

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ingest_assets.http.application import build_application
from ingest_assets.http.body_limits import LEAST_BYTES_PER_SECOND
from ingest_assets.http.ports import HttpService, Limits

GRACE_SECONDS = 30
IDLE_SECONDS = 5
LARGEST_HEAD = 32 * 1024
FREE_CHUNKS = 500
LEAST_CHUNK = 64
"""How many bytes the chunks of a body have on average, after the free ones: each chunk costs time."""
TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def server_of(service: HttpService) -> uvicorn.Server:
    """Return the server that runs the HTTP application."""
    # It would log addresses, which contain file names; the application logs routes.
    logging.getLogger("uvicorn.access").disabled = True
    proxies, connections = service.limits.trusted_proxies, service.limits.connections
    config = uvicorn.Config(
        build_application(service),
        # The class is made by uvicorn, with more arguments; it does not mind a partial one.
        http=cast("type[asyncio.Protocol]", partial(BoundedProtocol, service.limits)),
        ws="none",
        log_config=None,
        server_header=False,
        proxy_headers=proxies is not None,
        forwarded_allow_ips=proxies or "",
        limit_concurrency=connections + 1,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return _Server(config, service)


class _Server(uvicorn.Server):
    """The server, which ends streams before it waits for answers to end."""

    def __init__(self, config: uvicorn.Config, service: HttpService) -> None:
        super().__init__(config)
        self._service = service

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._service.followers.close()
        await super().shutdown(sockets)


class BoundedConnection(h11.Connection):
    """A connection's grammar, in which a body does not consist of crumbs."""

    def __init__(self, role: type[h11.SERVER], largest_head: int) -> None:
        super().__init__(role, largest_head)
        self._chunks = 0
        self._bytes = 0
        self.waits_since = time.monotonic()
        """Since when the client has kept the service waiting; each byte of a body takes some of that back."""

    def start_next_cycle(self) -> None:
        super().start_next_cycle()
        self.waits_since = time.monotonic()

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """Return what the client has sent next.

        Raises:
            h11.RemoteProtocolError: If the client breaks the protocol, or sends too many small chunks.
        """
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._chunks = self._bytes = 0
            self.waits_since = time.monotonic()
        elif isinstance(event, h11.Data):
            self._chunks += event.chunk_start
            self._bytes += len(event.data)
            self.waits_since += len(event.data) / LEAST_BYTES_PER_SECOND
            if self._chunks > FREE_CHUNKS and self._bytes < LEAST_CHUNK * self._chunks:
                raise h11.RemoteProtocolError("too many small chunks")
        return event


class BoundedProtocol(H11Protocol):
    """One connection. It ends if a head is late or an answer is not read; if there are too many, the slowest ends."""

    conn: BoundedConnection

    def __init__(self, limits: Limits, **given: Any) -> None:
        super().__init__(**given)
        self.conn = BoundedConnection(h11.SERVER, LARGEST_HEAD)
        self._limits = limits
        self._late_head: asyncio.TimerHandle | None = None
        self._unread_answer: asyncio.TimerHandle | None = None

    @property
    def is_unfinished(self) -> bool:
        """Return whether the client still has to send something before the service can answer."""
        return self.conn.their_state in (h11.IDLE, h11.SEND_BODY)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()
        if len(self.connections) > self._limits.connections:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), LARGEST_HEAD):
            if not self.transport.is_closing():
                super().data_received(data[start : start + LARGEST_HEAD])
        self._watch()

    def send_400_response(self, msg: str) -> None:
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.abort()

    def on_response_complete(self) -> None:
        sends_for_nothing = self.conn.their_state is h11.SEND_BODY
        super().on_response_complete()  # begins with the next request, if it has arrived
        if sends_for_nothing:
            self.transport.close()
        self._watch()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread_answer = self.loop.call_later(self._limits.arrival_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        _cancel(self._unread_answer)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        _cancel(self._late_head)
        _cancel(self._unread_answer)

    def _watch(self) -> None:
        """Let the next head arrive in time; a request whose head has arrived is watched by the application."""
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            _cancel(self._late_head)
            self._late_head = None
        elif self._late_head is None:
            self._late_head = self.loop.call_later(self._limits.arrival_seconds, self._give_up)

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(TOO_SLOW)
            self.transport.close()

    def _make_room(self) -> None:
        waiting = [each for each in cast("set[BoundedProtocol]", self.connections) if each.is_unfinished]
        slowest = min(waiting, key=lambda each: each.conn.waits_since)
        self.connections.discard(slowest)
        slowest.transport.abort()


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
