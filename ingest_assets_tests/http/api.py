"""The HTTP service as its callers meet it: a real server on 127.0.0.1, real tokens."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt

from ingest_assets.cli.commands.serve import compose_service
from ingest_assets.cli.ports import listening
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.http.ports import HttpService
from ingest_assets.http.server import server_of

SECRET = "forty-one characters that only tests know"  # noqa: S105
SECONDS = 30


@dataclass(frozen=True)
class Api:
    url: str
    service: HttpService
    token: str
    client: httpx.Client

    def __call__(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        return self.plainly(method, path, headers={"Authorization": f"Bearer {self.token}", **(headers or {})}, **more)

    def plainly(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Without a token."""
        return self.client.request(method, f"{self.url}{path}", **more)

    def submit(self, content: bytes | str, name: str = "policy.md", **more: Any) -> httpx.Response:
        return self(
            "POST", "/v1/documents", params={"filename": name, **more.pop("params", {})}, content=content, **more
        )

    def of(self, user: UserId) -> "Api":
        return replace(self, token=token_of(user))


def token_of(user: object, secret: str | bytes | Any = SECRET, algorithm: str | None = "HS256", **claims: Any) -> str:
    """As Supabase issues it; a claim of None is left out."""
    expires = datetime.now(UTC) + timedelta(hours=1)
    all_claims = {"sub": str(user), "aud": "authenticated", "exp": expires, "role": "authenticated", **claims}
    headers = {"kid": claims.pop("kid")} if "kid" in claims else None
    all_claims.pop("kid", None)
    present = {name: value for name, value in all_claims.items() if value is not None}
    return jwt.encode(present, secret, algorithm=algorithm, headers=headers)


@contextmanager
def serving(deployment: Deployment, user: UserId, **changes: Any) -> Iterator[Api]:
    """`changes` replace what the service holds."""
    service = replace(compose_service(deployment), **changes)
    server = server_of(service)
    with listening("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="http service")
        thread.start()
        try:
            with httpx.Client(timeout=SECONDS, trust_env=False, verify=False) as client:  # noqa: S501  there is no TLS
                yield Api(f"http://127.0.0.1:{listener.getsockname()[1]}", service, token_of(user), client)
        finally:
            server.should_exit = True
            thread.join(SECONDS)
    assert not thread.is_alive()


def assert_problem(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code), problem
    assert problem["title"]
    assert problem["type"] == "about:blank"
    if code == "unexpected":
        assert "detail" not in problem
    else:
        assert problem["detail"]
        assert problem["hint"]
