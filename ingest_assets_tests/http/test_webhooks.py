"""Callbacks: believed and kept only where they prove where they come from."""

import hmac
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

import psycopg
import pytest

from ingest_assets.adapters.postgres.locks import REPEATED_CALLBACKS
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.spending.remote_jobs import PostgresRemoteJobs
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, Producer, UserId
from ingest_assets.domain.spending.providers import ProviderName
from ingest_assets.http.ports import Limits
from ingest_assets_tests.documents import policy_text, submit
from ingest_assets_tests.http.api import Api, assert_problem, serving

PATH = "/v1/webhooks/llamaparse"
SIGNING_SECRET = "what the service signs with"  # noqa: S105
BODY = json.dumps({"txt": "Zebra", "md": "# Zebra", "json": [], "images": []}).encode()
REMOTE_ID = "pjb-1"
EVENT = json.dumps({"event_type": "parse.success", "data": {"job_id": REMOTE_ID}}).encode()

BLOCKED = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def signature(body: bytes, secret: str = SIGNING_SECRET) -> dict[str, str]:
    return {"LC-Signature": "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()}


@dataclass(frozen=True)
class Waiting:
    """A parse that waits for the service's call."""

    jobs: PostgresRemoteJobs
    document_id: DocumentId
    secret: str

    @property
    def completed(self) -> bool:
        return self.jobs.completed(REMOTE_ID)


@pytest.fixture
def waiting(deployment: Deployment, user: UserId) -> Waiting:
    document = deployment.documents.find(submit(deployment, user, policy_text()).document_id)
    assert document is not None
    jobs, producer = PostgresRemoteJobs(deployment.database), Producer("llamaparse", "1")
    secret = jobs.prepare(document, producer)
    jobs.remember(document, producer, REMOTE_ID)
    return Waiting(jobs, document.document_id, secret)


@pytest.fixture
def signed(deployment: Deployment, user: UserId) -> Iterator[Api]:
    """A service that is configured to expect signatures."""
    with serving(deployment, user, webhook_secret=SIGNING_SECRET) as api:
        yield api


def logged(url: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        statement = "SELECT service, body, outcome, document_id FROM upload_pipeline.webhook_log ORDER BY webhook_id"
        return connection.execute(statement).fetchall()


def test_a_jobs_own_secret_completes_it_once_and_repetitions_do_no_harm(
    api: Api, database_url: str, waiting: Waiting
) -> None:
    assert not waiting.completed
    answers = [api.plainly("POST", PATH, params={"secret": waiting.secret}, content=BODY) for _ in range(3)]
    assert waiting.completed
    assert [answer.status_code for answer in answers] == [200] * 3
    assert [answer.json()["outcome"] for answer in answers] == ["completed", "finished_before", "finished_before"]
    assert logged(database_url) == [("llamaparse", BODY, "completed", waiting.document_id)]


def test_a_repetition_of_a_callback_that_nobody_could_record_is_recorded_once(
    api: Api, database_url: str, waiting: Waiting
) -> None:
    waiting.jobs.complete_by_secret(waiting.secret)
    for _ in range(3):
        api.plainly("POST", PATH, params={"secret": waiting.secret}, content=BODY)
    assert logged(database_url) == [("llamaparse", b"", "finished_before", waiting.document_id)]


def test_a_callback_for_a_document_s_next_job_is_recorded_as_the_one_before(
    api: Api, deployment: Deployment, database_url: str, waiting: Waiting
) -> None:
    document = deployment.documents.find(waiting.document_id)
    assert document is not None
    secrets = [waiting.secret]
    for _ in range(2):
        for _ in range(2):
            api.plainly("POST", PATH, params={"secret": secrets[-1]}, content=BODY)
        secrets.append(waiting.jobs.prepare(document, Producer("llamaparse", "1")))
    assert logged(database_url) == [("llamaparse", BODY, "completed", waiting.document_id)] * 2


def test_a_late_repetition_is_not_recorded_either_after_another_provider_s_callback_for_the_document(
    api: Api, deployment: Deployment, database_url: str, waiting: Waiting
) -> None:
    document = deployment.documents.find(waiting.document_id)
    assert document is not None
    api.plainly("POST", PATH, params={"secret": waiting.secret}, content=BODY)
    secret = waiting.jobs.prepare(document, Producer("llamacloud", "1"), None, REQUEST_ID)
    assert told(api, EVENT, secret) == "completed"
    api.plainly("POST", PATH, params={"secret": waiting.secret}, content=BODY)
    assert [(service, outcome) for service, _, outcome, _ in logged(database_url)] == [
        ("llamaparse", "completed"),
        ("llamacloud", "completed"),
    ]


@pytest.mark.parametrize("has_document", [True, False])
def test_of_repetitions_that_come_at_the_same_time_one_is_recorded(
    deployment: Deployment, database_url: str, waiting: Waiting, *, has_document: bool
) -> None:
    waiting.jobs.complete_by_secret(waiting.secret)
    log = deployment.webhook_log(ProviderName("llamaparse"))
    repetition = (b"", "finished_before", waiting.document_id) if has_document else (b"", "no_result", None)
    with ThreadPoolExecutor(1) as pool, psycopg.connect(database_url) as first:
        first.execute(query("take_lock"), {"lock": REPEATED_CALLBACKS})
        first.execute(
            "INSERT INTO upload_pipeline.webhook_log (service, body, outcome, document_id)"
            " VALUES ('llamaparse', %s, %s, %s)",
            repetition,
        )
        second = pool.submit(log.record, *repetition)
        with psycopg.connect(database_url, autocommit=True) as watching:
            while not watching.execute(BLOCKED).fetchall() and not second.done():
                pass
        first.commit()
        second.result()
    assert len(logged(database_url)) == 1


@pytest.mark.parametrize(("kind", "outcome"), [("parse.pending", "no_result"), ("parse.success", "unknown_job")])
def test_a_signed_callback_without_a_document_is_recorded_once_however_often_it_comes(
    signed: Api, database_url: str, kind: str, outcome: str
) -> None:
    body = json.dumps({"event_type": kind, "data": {"job_id": "nobody's"}}).encode()
    for _ in range(3):
        assert signed.plainly("POST", PATH, content=body, headers=signature(body)).json()["outcome"] == outcome
    assert logged(database_url) == [("llamaparse", b"", outcome, None)]


def test_an_unknown_job_is_thanked_and_not_kept(api: Api, database_url: str, waiting: Waiting) -> None:
    guesses = ["guessed", waiting.secret[:-1], waiting.secret + "x", "a\x00b", "é", "x" * 5000]
    for guess in guesses:
        answer = api.plainly("POST", PATH, params={"secret": guess}, content=BODY)
        assert (answer.status_code, answer.json()["outcome"]) == (200, "unknown_job")
    assert logged(database_url) == []
    assert not waiting.completed


def test_without_any_proof_it_is_refused(api: Api, database_url: str, waiting: Waiting) -> None:
    for headers in ({}, signature(EVENT)):
        assert_problem(api.plainly("POST", PATH, content=EVENT, headers=headers), 401, "signature_invalid")
    assert logged(database_url) == []
    assert not waiting.completed


@pytest.mark.parametrize("body", [EVENT, json.dumps({"job_id": REMOTE_ID}).encode()])
def test_a_good_signature_completes_the_job_that_the_body_names(signed: Api, waiting: Waiting, body: bytes) -> None:
    answer = signed.plainly("POST", PATH, content=body, headers=signature(body))
    assert (answer.status_code, answer.json()["outcome"]) == (200, "completed")
    assert waiting.completed


def test_a_signed_body_that_names_no_job_does_no_harm(signed: Api) -> None:
    bodies = [b"", b"[]", b"{", b'{"data": 1}', b'{"job_id": 1}', b'{"job_id": "\\u0000"}', b'{"job_id": "\\ud800"}']
    for body in (*bodies, b"\xff", b"[" * 10_000, b" " * 100_000):
        answer = signed.plainly("POST", PATH, content=body, headers=signature(body))
        assert (answer.status_code, answer.json()["outcome"]) == (200, "unknown_job")


def test_only_success_completes_a_job_in_whatever_order_events_come(signed: Api, waiting: Waiting) -> None:
    completed = False
    for kind, outcome in [
        ("parse.pending", "no_result"),
        ("parse.error", "no_result"),
        ("parse.success", "completed"),
        ("parse.pending", "no_result"),
        ("parse.success", "finished_before"),
    ]:
        body = json.dumps({"event_type": kind, "data": {"job_id": REMOTE_ID}}).encode()
        answer = signed.plainly("POST", PATH, content=body, headers=signature(body))
        assert (answer.status_code, answer.json()["outcome"]) == (200, outcome)
        completed = completed or outcome == "completed"
        assert waiting.completed == completed


def test_a_bad_signature_is_refused_whatever_else_it_knows(signed: Api, database_url: str, waiting: Waiting) -> None:
    good = signature(BODY)["LC-Signature"]
    forgeries = ["", "sha256=", good[7:], good[:-1], good + "0", "sha1=" + good[7:], good.upper(), "sha256=é"]
    forgeries.append(signature(BODY, "another secret")["LC-Signature"])
    forgeries.append(signature(BODY + b" ")["LC-Signature"])
    for forgery in forgeries:
        headers = {"LC-Signature": forgery.encode()}
        answer = signed.plainly("POST", PATH, params={"secret": waiting.secret}, content=BODY, headers=headers)
        assert_problem(answer, 401, "signature_invalid")
    assert logged(database_url) == []
    assert not waiting.completed


def test_of_what_is_too_large_for_an_event_only_the_fact_is_kept(api: Api, database_url: str, waiting: Waiting) -> None:
    answer = api.plainly("POST", PATH, params={"secret": waiting.secret}, content=b"y" * 1_000_000)
    assert answer.json()["outcome"] == "completed"
    assert logged(database_url) == [("llamaparse", b"", "completed", waiting.document_id)]


def test_a_late_callback_for_a_deleted_document_leaves_nothing_of_its_text(
    api: Api, database_url: str, waiting: Waiting
) -> None:
    assert api("DELETE", f"/v1/documents/{waiting.document_id}").status_code == 204
    answer = api.plainly("POST", PATH, params={"secret": waiting.secret}, content=BODY)
    assert answer.json()["outcome"] == "unknown_job"
    assert logged(database_url) == []


def test_a_callback_beyond_the_limit_is_cut_off(
    deployment: Deployment, user: UserId, database_url: str, waiting: Waiting
) -> None:
    proof = {"secret": waiting.secret}
    with serving(deployment, user, webhook_max_bytes=1000) as api:
        assert_problem(api.plainly("POST", PATH, params=proof, content=b"x" * 1001), 413, "too_large")
        assert api.plainly("POST", PATH, params=proof, content=b"x" * 1000).status_code == 200
    assert len(logged(database_url)) == 1


def test_a_callbacks_text_leaves_with_its_document(api: Api, database_url: str, waiting: Waiting) -> None:
    api.plainly("POST", PATH, params={"secret": waiting.secret}, content=BODY)
    assert api("DELETE", f"/v1/documents/{waiting.document_id}").status_code == 204
    assert logged(database_url) == []


def test_old_bodies_are_emptied_and_old_keys_forgotten(
    signed: Api, deployment: Deployment, database_url: str, waiting: Waiting
) -> None:
    signed.plainly("POST", PATH, content=EVENT, headers=signature(EVENT))
    signed.plainly("POST", PATH, content=b"{}", headers=signature(b"{}"))
    signed.submit("one policy", "a.txt", headers={"Idempotency-Key": "old"})
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE upload_pipeline.webhook_log SET received_at = now() - interval '8 days'")
        connection.execute("UPDATE upload_pipeline.idempotency_keys SET created_at = now() - interval '25 hours'")
    signed.plainly("POST", PATH, content=EVENT, headers=signature(EVENT))
    signed.submit("another policy", "a.txt", headers={"Idempotency-Key": "new"})
    assert [row[1:3] for row in logged(database_url)] == [(b"", "completed"), (b"", "finished_before")]
    assert signed.submit("other content", "a.txt", headers={"Idempotency-Key": "old"}).status_code == 202


class BusyJobs(PostgresRemoteJobs):
    """They take longer than a sender may."""

    def expects(self, callback_secret: str) -> bool:
        time.sleep(2.5)
        return super().expects(callback_secret)


def test_the_time_that_the_service_takes_is_not_the_senders(
    deployment: Deployment, user: UserId, waiting: Waiting
) -> None:
    limits = Limits(connections=10, arrival_seconds=2, trusted_proxies=None)
    with serving(deployment, user, limits=limits, callbacks=BusyJobs(deployment.database)) as api:
        answer = api.plainly("POST", PATH, params={"secret": waiting.secret}, content=BODY)
    assert (answer.status_code, answer.text) == (200, '{"outcome":"completed"}')


CLOUD = "/v1/webhooks/llamacloud"
REQUEST_ID = UUID(int=7)


@pytest.fixture
def named(deployment: Deployment, user: UserId) -> Waiting:
    """A parse whose job has a request id and a secret that signs its callbacks."""
    document = deployment.documents.find(submit(deployment, user, policy_text()).document_id)
    assert document is not None
    jobs, producer = PostgresRemoteJobs(deployment.database), Producer("llamacloud", "1")
    secret = jobs.prepare(document, producer, None, REQUEST_ID)
    jobs.remember(document, producer, REMOTE_ID)
    return Waiting(jobs, document.document_id, secret)


def told(api: Api, body: bytes, secret: str, job: UUID | str = REQUEST_ID) -> str:
    answer = api.plainly("POST", CLOUD, params={"job": str(job)}, content=body, headers=signature(body, secret))
    assert answer.status_code == 200
    return str(answer.json()["outcome"])


def test_llama_cloud_s_callback_is_believed_by_the_secret_of_its_job_and_recorded_once(
    api: Api, database_url: str, named: Waiting
) -> None:
    assert [told(api, EVENT, named.secret) for _ in range(3)] == ["completed", "finished_before", "finished_before"]
    assert named.completed
    assert logged(database_url) == [("llamacloud", EVENT, "completed", named.document_id)]


@pytest.mark.parametrize("kind", ["parse.error", "parse.cancelled", "parse.partial_success"])
def test_any_end_of_a_job_ends_the_wait_for_it_and_a_beginning_does_not(api: Api, named: Waiting, kind: str) -> None:
    for begun in ("parse.pending", "parse.running"):
        assert told(api, json.dumps({"event_type": begun}).encode(), named.secret) == "no_result"
    assert not named.completed
    assert told(api, json.dumps({"event_type": kind}).encode(), named.secret) == "completed"


def test_llama_cloud_s_callback_without_the_secret_of_its_job_is_refused(
    api: Api, signed: Api, database_url: str, named: Waiting
) -> None:
    good = signature(EVENT, named.secret)["LC-Signature"]
    forgeries = ["", "sha256=", good[7:], good[:-1], good.upper(), signature(EVENT)["LC-Signature"]]
    forgeries.append(signature(EVENT + b" ", named.secret)["LC-Signature"])
    for each in (api, signed):
        for forgery in forgeries:
            headers = {"LC-Signature": forgery}
            answer = each.plainly("POST", CLOUD, params={"job": str(REQUEST_ID)}, content=EVENT, headers=headers)
            assert_problem(answer, 401, "signature_invalid")
        headers = {"LC-Signature": good}
        assert_problem(each.plainly("POST", CLOUD, content=EVENT, headers=headers), 401, "signature_invalid")
        assert told(each, EVENT, named.secret, UUID(int=8)) == "unknown_job"
    assert logged(database_url) == []
    assert not named.completed


def test_llama_cloud_s_late_callback_for_a_deleted_document_leaves_nothing(
    api: Api, database_url: str, named: Waiting
) -> None:
    assert api("DELETE", f"/v1/documents/{named.document_id}").status_code == 204
    assert told(api, EVENT, named.secret) == "unknown_job"
    assert logged(database_url) == []
