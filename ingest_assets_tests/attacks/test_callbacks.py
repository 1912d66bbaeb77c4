"""Callbacks that nobody signed: they leave nothing, cost nothing, and cannot hide where they come from."""

import hmac
import socket
from collections.abc import Iterator
from hashlib import sha256
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import pytest
from pydantic import SecretStr
from starlette.requests import Request

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.http.ports import Limits
from ingest_assets.http.rate_limit import RateLimit, sender_of
from ingest_assets.settings import Settings
from ingest_assets_tests.http.api import SECRET, Api, assert_problem, serving
from ingest_assets_tests.http.process import serve

PATH = "/v1/webhooks/llamaparse"
CLOUD = "/v1/webhooks/llamacloud"
SIGNING_SECRET = "what the service signs with"  # noqa: S105
FORGED = "sha256=" + hmac.new(b"another secret", b"", sha256).hexdigest()
LARGE = b"[" * 1024 * 1024


@pytest.fixture
def deployment(settings: Settings) -> Iterator[Deployment]:
    made = Deployment(settings.model_copy(update={"jwt_secret": SecretStr(SECRET)}))
    yield made
    made.close()


@pytest.fixture(params=[None, SIGNING_SECRET], ids=["a secret per job", "a signature"])
def asked(deployment: Deployment, user: UserId, request: pytest.FixtureRequest) -> Iterator[Api]:
    with serving(deployment, user, webhook_secret=request.param) as api:
        yield api


def kept(url: str) -> tuple[int, int]:
    """How many callbacks there are, and how much their table holds on disk."""
    statement = (
        "SELECT count(*), pg_table_size('upload_pipeline.webhook_log'::regclass) FROM upload_pipeline.webhook_log"
    )
    with psycopg.connect(url) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return row[0], row[1]


def test_a_flood_of_unproven_callbacks_leaves_nothing_in_the_database(asked: Api, database_url: str) -> None:
    before = kept(database_url)
    for query in ({}, {"secret": "guessed"}, {"secret": "a\x00b"}):
        for headers in ({}, {"LC-Signature": "sha256=x"}, {"LC-Signature": FORGED}):
            answer = asked.plainly("POST", PATH, params=query, content=LARGE, headers=headers)
            assert answer.json().get("code") == "signature_invalid" or answer.json() == {"outcome": "unknown_job"}
    assert kept(database_url) == before


@pytest.mark.parametrize(
    "path",
    [
        PATH,
        f"{PATH}?secret=guessed",
        CLOUD,
        f"{CLOUD}?job=guessed",
        f"{CLOUD}?job={UUID(int=7)}",
    ],
)
def test_what_proves_nothing_is_answered_before_its_body_is_sent(asked: Api, path: str) -> None:
    address = urlsplit(asked.url)
    head = f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: 30000000\r\n\r\n"
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=30) as connection:
        connection.sendall(head.encode())
        answer = connection.recv(4096)
    assert answer.startswith((b"HTTP/1.1 401", b"HTTP/1.1 200", b"HTTP/1.1 422"))
    assert b"connection: close" in answer.lower()


def test_an_invented_origin_does_not_evade_the_limit(deployment: Deployment, user: UserId) -> None:
    with serving(deployment, user, rate_limit=RateLimit(3)) as api:
        answers = [api.plainly("POST", PATH, headers={"X-Forwarded-For": f"203.0.113.{number}"}) for number in range(5)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
    assert_problem(answers[-1], 429, "rate_limited")


def test_behind_a_trusted_proxy_each_client_counts_for_itself_whatever_it_claims(
    deployment: Deployment, user: UserId
) -> None:
    limits = Limits(connections=10, arrival_seconds=10, trusted_proxies="127.0.0.1, 192.0.2.0/24")
    with serving(deployment, user, rate_limit=RateLimit(3), limits=limits) as api:

        def statuses(client: str) -> list[int]:
            origins = [f"198.51.100.{number}, {client}, 192.0.2.{number}" for number in range(4)]
            return [api.plainly("POST", PATH, headers={"X-Forwarded-For": each}).status_code for each in origins]

        assert statuses("203.0.113.7") == [401, 401, 401, 429]
        assert statuses("203.0.113.8") == [401, 401, 401, 429]


def test_the_command_trusts_no_proxy_that_it_was_not_told_of(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    environment = {"INGEST_REQUESTS_PER_MINUTE": "2", "FORWARDED_ALLOW_IPS": "*"}
    with serve(database_url, tmp_path_factory.mktemp("served"), **environment) as served:
        address = urlsplit(served.url)
        statuses = []
        for number in range(4):
            with served.connect() as connection:
                connection.sendall(
                    f"POST {PATH} HTTP/1.1\r\nHost: {address.netloc}\r\nX-Forwarded-For: 203.0.113.{number}\r\n"
                    "Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
                )
                statuses.append(connection.recv(12).split()[1])
    assert statuses == [b"401", b"401", b"429", b"429"]


def sender(host: str) -> str:
    return sender_of(Request({"type": "http", "client": (host, 1)}))


def test_a_line_with_many_addresses_is_one_sender() -> None:
    assert sender("2001:db8::1") == sender("2001:db8::ffff:1")
    different = ["2001:db8::1", "2001:db8:0:1::1", "192.0.2.1", "192.0.2.2", "::ffff:192.0.2.3", "nonsense"]
    assert len({sender(host) for host in different}) == len(different)
