"""Who may use Dagster's page.

A request must name a host that this page is known by (otherwise a foreign name may have been rebound to this address),
must not come from another origin's page, and must not change anything by GET, which a plain link sends. On top of
that, the page can ask for a password, or for the name of a user that a proxy has put into a header.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from ingest_assets.domain.basic_login import CHALLENGE
from ingest_assets.domain.errors import PermanentError
from ingest_assets.orchestration.page.operations import changes_something
from ingest_assets.posix.password_files import PasswordGate, password_of

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
HOST = re.compile(r"\[(?P<address>[0-9a-fA-F:.]+)\](:\d+)?|(?P<name>[^\[\]:@/?#\s]+)(:\d+)?")
HEALTH = "/server_info"
"""Says which versions run, and needs no login."""


@dataclass(frozen=True, slots=True)
class Refusal:
    status: HTTPStatus
    reason: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class AccessControl:
    """An ASGI application around Dagster's, which passes on what may pass.

    Attributes:
        page: Dagster's application.
        hosts: The names by which this page is known, besides those of the machine itself.
        password_file: A file with the password that each request needs, by HTTP Basic; it is read for each request.
        user_header: The header that a proxy sets to the name of the user whom it has let in.
    """

    page: ASGIApp
    hosts: Collection[str] = ()
    password_file: Path | None = None
    user_header: str | None = None

    def __post_init__(self) -> None:
        self._gate = None if self.password_file is None else PasswordGate(self.password_file)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = None if scope["type"] == "lifespan" else await self._refusal(HTTPConnection(scope))
        if refusal is None:
            await self.page(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(reason=refusal.reason)(scope, receive, send)
        else:
            answer = PlainTextResponse(f"{refusal.reason}\n", refusal.status, refusal.headers)
            await answer(scope, receive, send)

    async def _refusal(self, request: HTTPConnection) -> Refusal | None:
        if (host := _only(request, "host")) is None or _name(host) not in LOOPBACK | set(self.hosts):
            reason = "This page is not known by that host name. INGEST_UI_HOSTS lists more names for it."
            return Refusal(HTTPStatus.MISDIRECTED_REQUEST, reason)
        if _is_foreign(request, host):
            return Refusal(HTTPStatus.FORBIDDEN, "Requests from pages of other origins are refused.")
        if request.scope.get("method") == "GET" and changes_something(request):
            reason = "What changes something needs POST."
            return Refusal(HTTPStatus.METHOD_NOT_ALLOWED, reason, {"Allow": "POST"})
        if request.scope["path"] == HEALTH:
            return None
        return await self._refusal_of_login(request)

    async def _refusal_of_login(self, request: HTTPConnection) -> Refusal | None:
        if self.user_header is not None and not _only(request, self.user_header):
            return Refusal(HTTPStatus.UNAUTHORIZED, f"The proxy in front of this page must set {self.user_header}.")
        if self._gate is not None:
            return await self._refusal_of_password(request, self._gate)
        return None

    async def _refusal_of_password(self, request: HTTPConnection, gate: PasswordGate) -> Refusal | None:
        opens = await gate.opens_for(_only(request, "authorization"))
        if opens is None:
            reason = "The file that INGEST_UI_PASSWORD_FILE names is missing, empty or unreadable."
            return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, reason)
        if opens:
            return None
        reason = "A password is needed; any user name will do."
        return Refusal(HTTPStatus.UNAUTHORIZED, reason, {"WWW-Authenticate": CHALLENGE})


def _only(request: HTTPConnection, header: str) -> str | None:
    """Return the header's value if it is there exactly once."""
    values = request.headers.getlist(header)
    return values[0] if len(values) == 1 else None


def _name(host: str) -> str | None:
    """Return the name in HOST or HOST:PORT."""
    found = HOST.fullmatch(host)
    return (found["address"] or found["name"]).lower() if found else None


def _is_foreign(request: HTTPConnection, host: str) -> bool:
    """Return whether another origin's page sent this.

    Browsers name the origin with everything but a plain GET, and most of them say of each request whence it came
    (Fetch Metadata). To follow a link from elsewhere is allowed: the page that holds the link cannot read the answer.
    """
    if "origin" in request.headers:
        origin = _only(request, "origin")
        return origin is None or origin.partition("://")[2].lower() != host.lower()
    whence = request.headers.get("sec-fetch-site", "none")
    is_link = (
        request.headers.get("sec-fetch-mode") == "navigate" and request.headers.get("sec-fetch-dest") == "document"
    )
    return whence not in ("none", "same-origin") and not is_link


def require_password(file: Path | None) -> None:
    """Check that the password can be read, if there has to be one.

    Raises:
        PermanentError: ui_password_missing.
    """
    if file is not None and not password_of(file):
        raise PermanentError("ui_password_missing")
