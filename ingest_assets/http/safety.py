"""The outermost layer: it decides what is logged, and what a caller sees of an unexpected error.

It does not log addresses, whose queries contain file names and secrets, nor the messages of libraries' exceptions,
which may contain values.
"""

import logging
import re
import time
from collections.abc import Callable
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest_assets.http.problems import problem
from ingest_assets.pipeline.failure import as_ingest_error
from ingest_assets.pipeline.tracing import tracing

logger = logging.getLogger("ingest_assets.http")

REQUEST_ID = re.compile(r"[0-9A-Fa-f-]{16,64}")
"""What a caller may call a request: a UUID or a trace id fits, a person's name does not."""

TRACE_PARENT = re.compile(r"[0-9a-f]{2}-(?P<trace>(?!0{32})[0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}.*")
"""W3C Trace Context, section 3.2."""

HEADERS = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]


class Safety:
    """Names each request, adds headers to its answer, logs its route and answers unexpected errors."""

    def __init__(self, application: ASGIApp, count: Callable[[int], None]) -> None:
        self._application = application
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        started, status, request_id = time.monotonic(), 0, _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        headers = [*HEADERS, (b"x-request-id", request_id.encode())]

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), *headers]
            await send(message)

        parent = Headers(scope=scope).get("traceparent")
        with tracing.span("HTTP request", correlation_id=request_id, parent=parent) as note:
            try:
                await self._application(scope, receive, noted)
            except ClientDisconnect:
                status = status or 499
            except Exception as error:
                expected = as_ingest_error(error)
                told = {"correlation_id": request_id, "code": expected.code}
                # Its traceback may quote a document.
                logger.error("%s: %s", expected.code, expected.message, extra=told)  # noqa: TRY400
                if not status:
                    await problem(expected)(scope, receive, noted)
            route = {"http.request.method": scope["method"], "http.route": _route(scope)}
            note(route | {"http.response.status_code": status})
        self._count(status)
        seconds = time.monotonic() - started
        logger.info(
            "%s %s %d %.3f s %s",
            *(scope["method"], _route(scope), status, seconds, request_id),
            extra={"correlation_id": request_id},
        )


def _request_id(scope: Scope) -> str:
    """Return the caller's X-Request-ID if it is valid, or else the trace id of its traceparent, or a new one."""
    headers = Headers(scope=scope)
    named = headers.get("x-request-id", "")
    if REQUEST_ID.fullmatch(named):
        return named
    traced = TRACE_PARENT.fullmatch(headers.get("traceparent", ""))
    return traced["trace"] if traced else str(uuid4())


def _route(scope: Scope) -> str:
    """Return the route's pattern, never the address itself."""
    return str(getattr(scope.get("route"), "path", "an unknown path"))
