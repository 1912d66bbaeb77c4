"""The service as a whole: its health, its limits, its errors, its description, its log."""

import logging
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID, uuid4

import psycopg
import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as quickly
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from ingest_assets.adapters.postgres.migrations import pending
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.http.following.followers import Followers, StreamLimits
from ingest_assets.http.problems import RefusalError
from ingest_assets.http.rate_limit import RateLimit
from ingest_assets_tests.documents import policy_text
from ingest_assets_tests.http.api import Api, assert_problem, serving
from ingest_assets_tests.http.process import serve


def test_it_is_alive_and_ready(api: Api) -> None:
    assert api.plainly("GET", "/healthz").json() == {"status": "ok"}
    assert api.plainly("GET", "/readyz").json() == {"status": "ready"}


def test_it_is_alive_but_not_ready_before_the_schema_is_up_to_date(
    deployment: Deployment, user: UserId, empty_database_url: str, tmp_path: Path
) -> None:
    with serving(deployment, user, pending_migrations=lambda: pending(empty_database_url)) as api:
        assert api.plainly("GET", "/healthz").status_code == 200
        assert_problem(api.plainly("GET", "/readyz"), 503, "schema_outdated")
    nowhere = f"postgresql://secret@/nowhere?host={tmp_path}"
    with serving(deployment, user, pending_migrations=lambda: pending(nowhere)) as api:
        assert api.plainly("GET", "/healthz").status_code == 200
        silent = api.plainly("GET", "/readyz")
        assert_problem(silent, 503, "database_unreachable")
        assert int(silent.headers["retry-after"]) > 0
        assert "secret" not in silent.text


def test_what_is_not_there_is_a_problem_too(api: Api) -> None:
    assert_problem(api("GET", "/nowhere"), 404, "unknown_path")
    assert_problem(api("GET", "/v1/documents/"), 404, "unknown_path")
    assert_problem(api("GET", "/v1/documents/no-uuid"), 422, "invalid_request")
    refused = api("PUT", "/v1/documents")
    assert_problem(refused, 405, "method_not_allowed")
    assert refused.headers["allow"] == "POST"


def test_an_unexpected_error_tells_the_caller_and_the_log_nothing_of_the_document(
    deployment: Deployment, user: UserId, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> NoReturn:
        raise RuntimeError("Mrs Example has a broken leg")

    caplog.set_level(logging.DEBUG)
    with serving(deployment, user, pending_migrations=fail) as api:
        answer = api.plainly("GET", "/readyz")
    assert_problem(answer, 500, "unexpected")
    assert "leg" not in answer.text + caplog.text
    assert "unexpected" in caplog.text


def test_names_queries_and_secrets_are_not_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    path = api.submit(policy_text("Zebra"), "mrs-example.md").headers["location"]
    api("POST", "/v1/search", json={"query": "zebra"})
    api("GET", path)
    api.plainly("POST", "/v1/webhooks/llamaparse?secret=tell-nobody", content=b"zebra")
    served = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    ours = "\n".join(record.getMessage() for record in served)
    assert "POST /v1/documents 202" in ours
    assert "GET /v1/documents/{document_id} 200" in ours
    for private in ("mrs-example", "zebra", "tell-nobody", api.token, path):
        assert private not in ours.lower()


def test_too_many_requests_of_one_user_wait_and_others_do_not(deployment: Deployment, user: UserId) -> None:
    with serving(deployment, user, rate_limit=RateLimit(3)) as api:
        answers = [api("GET", f"/v1/documents/{uuid4()}") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [404, 404, 404, 429, 429]
        assert_problem(answers[-1], 429, "rate_limited")
        assert 0 < int(answers[-1].headers["retry-after"]) <= 20
        assert api.of(UserId(uuid4()))("GET", f"/v1/documents/{uuid4()}").status_code == 404
        assert api("GET", "/healthz").status_code == 200


def test_a_bucket_fills_again_and_never_above_a_minutes_worth() -> None:
    now = 0.0
    limit = RateLimit(60, seconds=lambda: now)

    def admitted() -> int:
        for count in range(100):
            try:
                limit.admit("caller")
            except RefusalError:
                return count
        return 100

    assert admitted() == 60
    now = 2.5
    assert admitted() == 2
    now = 1000.0
    assert admitted() == 60


def test_the_database_going_away_is_a_passing_problem(deployment: Deployment, api: Api, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER SCHEMA upload_pipeline RENAME TO away")
    assert_problem(api.submit(policy_text()), 503, "schema_outdated")
    assert_problem(api("POST", "/v1/search", json={"query": "x"}), 503, "schema_outdated")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER SCHEMA away RENAME TO upload_pipeline")
    assert api.submit(policy_text()).status_code == 202


def test_no_generated_request_makes_it_fail(deployment: Deployment, user: UserId) -> None:
    streams = StreamLimits(at_once=10, at_once_per_user=10, seconds=0.1)
    followers = Followers(deployment.announcements, deployment.documents_of, streams)
    with serving(deployment, user, rate_limit=RateLimit(1_000_000), followers=followers) as api:
        described = schemathesis.openapi.from_url(f"{api.url}/openapi.json")
        tried = {answer for operation in described.get_all_operations() for answer in _try(operation, api)}
    assert {200, 404, 422} <= tried
    assert max(tried) < 500


def _try(operation: Any, api: Api) -> set[int]:
    """The statuses that valid and invalid requests get; each answer is as described."""
    statuses: set[int] = set()
    cases = operation.ok()

    @given(case=cases.as_strategy() | cases.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    @quickly(max_examples=20, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def check(case: schemathesis.Case[Any]) -> None:
        # The description cannot say that a name must come from somewhere.
        answer = case.call_and_validate(
            headers={"Authorization": f"Bearer {api.token}"}, timeout=30, excluded_checks=[positive_data_acceptance]
        )
        statuses.add(answer.status_code)

    check()
    return statuses


def test_the_command_serves_until_it_is_told_to_stop(database_url: str, tmp_path: Path, user: UserId) -> None:
    with serve(database_url, tmp_path) as served:
        submitted = served.submit(user, policy_text().encode(), "mine.md")
    assert submitted.status_code == 202
    assert served.process.returncode == 0
    assert "POST /v1/documents 202" in served.messages
    assert "Traceback" not in served.messages
    assert "mine.md" not in served.messages


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("POST", "/v1/search", {"json": {"query": "x", "quokka7f3a9c": 1}}),
        ("POST", "/v1/search", {"json": {"query": "x", "limit": "quokka7f3a9c"}}),
        ("POST", "/v1/search", {"json": {"query": ["quokka7f3a9c"]}}),
        ("POST", "/v1/search", {"content": b'{"quokka7f3a9c'}),
        ("GET", "/v1/documents/quokka7f3a9c", {}),
        ("GET", "/quokka7f3a9c", {}),
        ("POST", "/v1/documents?priority=quokka7f3a9c", {"content": b"x"}),
        ("POST", "/v1/documents?filename=quokka7f3a9c.exe", {"content": b"\x00"}),
        ("POST", "/v1/documents", {"content": b"x", "headers": {"Content-Type": "multipart/form-data; quokka7f3a9c"}}),
        ("POST", "/v1/documents", {"content": b"x", "headers": {"Idempotency-Key": "quokka7f3a9c" * 50}}),
        ("POST", "/v1/search", {"headers": {"Authorization": "Bearer quokka7f3a9c"}}),
    ],
)
def test_a_problem_does_not_repeat_what_was_sent(api: Api, method: str, path: str, more: dict[str, Any]) -> None:
    answer = api(method, path, **more)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "quokka" not in (answer.text + str(answer.headers)).lower()
    assert "found `" not in answer.text


def test_a_request_is_named_in_its_answer_and_in_the_events_that_it_leaves(api: Api, database_url: str) -> None:
    named = {"X-Request-ID": "4bf92f3577b34da6a3ce929d0e0e4736"}
    answers = [api.submit(policy_text(str(number)), headers=named if number else {}) for number in range(2)]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert UUID(ids[0]).version == 4
    assert ids[1] == named["X-Request-ID"]
    with psycopg.connect(database_url) as connection:
        events = connection.execute("SELECT actor, correlation_id FROM upload_pipeline.events ORDER BY event_id")
        assert events.fetchall() == [("http", ids[0]), ("http", ids[1])]


@pytest.mark.parametrize(
    ("parent", "is_taken"),
    [
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", True),
        ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", False),
        ("00-Erika Mustermann-00f067aa0ba902b7-01", False),
    ],
)
def test_a_request_without_a_name_has_that_of_its_trace(api: Api, parent: str, *, is_taken: bool) -> None:
    answer = api.plainly("GET", "/healthz", headers={"traceparent": parent})
    assert (answer.headers["x-request-id"] == parent[3:35]) is is_taken


@pytest.mark.parametrize(
    "name", ["", "short", "Erika Mustermann", "erika-mustermann-claim", "f" * 65, "é" * 20, "a\tb" * 9]
)
def test_what_could_tell_about_somebody_does_not_become_a_requests_name(api: Api, name: str) -> None:
    answer = api.plainly("GET", "/healthz", headers={"X-Request-ID": name.encode()})
    assert UUID(answer.headers["x-request-id"]).version == 4


def test_no_page_of_it_loads_anything_from_elsewhere(api: Api) -> None:
    for path in ("/docs", "/redoc"):
        assert_problem(api.plainly("GET", path), 404, "unknown_path")
    assert api.plainly("GET", "/openapi.json").status_code == 200
