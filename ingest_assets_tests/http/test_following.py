"""Events as they happen: who follows is told of each, in order, and for as long as the token holds."""

import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.http.following.followers import Followers, StreamLimits
from ingest_assets.pipeline.ports.reading import Announcements
from ingest_assets_tests.documents import TEST, drain_all, ingest, policy_text, submit
from ingest_assets_tests.http.api import SECONDS, Api, assert_problem, serving, token_of
from ingest_assets_tests.http.process import serve
from ingest_assets_tests.http.streams import PATH, following

WRITE = """
INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor, code)
SELECT document_id, job_id, user_id, version, stage, 'deadletter', 'test', %(code)s
FROM upload_pipeline.upload_jobs WHERE document_id = %(document_id)s
"""


def followers_of(deployment: Deployment, at_once: int = 9, at_once_per_user: int = 9, seconds: float = 60) -> Followers:
    limits = StreamLimits(at_once, at_once_per_user, seconds)
    return Followers(deployment.announcements, deployment.documents_of, limits)


def test_a_document_that_becomes_searchable_and_one_that_fails_are_told(
    api: Api, deployment: Deployment, user: UserId
) -> None:
    with following(api) as stream:
        good = ingest(deployment, user, policy_text())
        frame = next(stream.frames)
        bad = ingest(deployment, user, b"%PDF-1.4 truncated", "bad.pdf")
        failed = stream.told()
    assert stream.answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert (frame["event"], int(frame["id"]) > int(stream.begun["id"])) == ("document", True)
    [event] = [each for each in deployment.documents.history(good) if each.state == "done"]
    assert datetime.fromisoformat(frame.data.pop("occurred_at")) == event.occurred_at
    assert {**frame.data, "occurred_at": None} == {
        "document_id": str(good),
        "version": 1,
        "state": "done",
        "code": None,
        "searchable": True,
        "occurred_at": None,
    }
    assert (failed["document_id"], failed["state"], failed["code"]) == (str(bad), "deadletter", "corrupt")


def test_a_stream_goes_on_behind_the_last_event_that_was_received(
    api: Api, deployment: Deployment, user: UserId
) -> None:
    with following(api) as stream:
        first = ingest(deployment, user, policy_text("a"), "a.md")
        received = next(stream.frames)
    second, third = (ingest(deployment, user, policy_text(name), name) for name in ("b.md", "c.md"))
    with following(api, after=received["id"]) as stream:
        told = [stream.told()["document_id"] for _ in range(2)]
    with following(api, after=stream.begun["id"]) as again:
        assert [again.told()["document_id"] for _ in range(2)] == told == [str(second), str(third)]
    with following(api, after=0) as whole:
        assert whole.told()["document_id"] == str(first)


def test_a_stream_without_an_id_begins_now(api: Api, deployment: Deployment, user: UserId) -> None:
    ingest(deployment, user, policy_text("a"), "a.md")
    with following(api) as stream:
        later = ingest(deployment, user, policy_text("b"), "b.md")
        assert stream.told()["document_id"] == str(later)


def test_a_stream_behind_an_event_that_does_not_exist_yet_begins_now(
    api: Api, deployment: Deployment, user: UserId
) -> None:
    with following(api, after=2**63 - 1) as stream:
        document_id = ingest(deployment, user, policy_text())
        assert stream.told()["document_id"] == str(document_id)


@pytest.mark.parametrize("wrong", ["-1", "x", str(2**63), "1 2"])
def test_an_id_that_is_none_is_refused(api: Api, wrong: str) -> None:
    assert_problem(api("GET", PATH, headers={"Last-Event-ID": wrong}), 422, "invalid_request")


def test_an_event_that_shows_late_is_told_before_those_with_higher_ids(
    api: Api, deployment: Deployment, user: UserId, database_url: str
) -> None:
    document_id = ingest(deployment, user, policy_text())
    with following(api) as stream, ExitStack() as ending:
        slow, quick = (ending.enter_context(psycopg.connect(database_url)) for _ in range(2))
        slow.execute(WRITE, {"document_id": document_id, "code": "slow"})
        quick.execute(WRITE, {"document_id": document_id, "code": "quick"})
        quick.commit()
        with following(api):  # what has come after it does not hold up what has come before
            slow.commit()
        assert [stream.told()["code"] for _ in range(2)] == ["slow", "quick"]


def test_the_deletion_of_a_document_is_not_told_as_its_end(api: Api, deployment: Deployment, user: UserId) -> None:
    with following(api) as stream:
        gone = ingest(deployment, user, policy_text("a"), "a.md")
        assert stream.told()["document_id"] == str(gone)
        deployment.deletion.delete(gone, TEST)
        later = ingest(deployment, user, policy_text("b"), "b.md")
        assert stream.told()["document_id"] == str(later)
    with following(api, after=0) as stream:
        assert stream.told()["document_id"] == str(later)


def test_more_streams_than_allowed_are_refused_until_one_ends(deployment: Deployment, user: UserId) -> None:
    limits = followers_of(deployment, at_once=3, at_once_per_user=2)
    with serving(deployment, user, followers=limits) as api:
        other, third = api.of(UserId(uuid4())), api.of(UserId(uuid4()))
        with following(api):
            with following(api), following(other):
                refused = api("GET", PATH)
                assert_problem(refused, 429, "streams_of_user_full")
                assert int(refused.headers["retry-after"]) > 0
                full = third("GET", PATH)
                assert_problem(full, 429, "streams_full")
                assert int(full.headers["retry-after"]) > 0
            until_admitted(third)
            until_admitted(api)


def until_admitted(api: Api) -> None:
    """The service notices at its next turn that a client has gone."""
    for _ in range(100):
        with api.client.stream("GET", f"{api.url}{PATH}", headers={"Authorization": f"Bearer {api.token}"}) as answer:
            if answer.status_code == 200:
                return
            assert answer.status_code == 429
        time.sleep(0.05)
    raise AssertionError("no place became free")


def test_a_stream_ends_with_its_token(api: Api, user: UserId) -> None:
    short = Api(api.url, api.service, token_of(user, exp=datetime.now(UTC) + timedelta(seconds=3)), api.client)
    with following(short) as stream:
        assert list(stream.frames) == []
    assert_problem(short("GET", PATH), 401, "token_expired")


def test_a_stream_without_a_token_does_not_begin(api: Api) -> None:
    assert_problem(api.plainly("GET", PATH), 401, "token_missing")


def test_a_stream_ends_after_some_time_and_its_client_opens_it_again(deployment: Deployment, user: UserId) -> None:
    limits = followers_of(deployment, seconds=1)
    with serving(deployment, user, followers=limits) as api:
        with following(api) as stream:
            assert list(stream.frames) == []
        document_id = ingest(deployment, user, policy_text())
        with following(api, after=stream.begun["id"]) as stream:
            assert int(stream.begun["retry"]) > 0
            assert [frame.data["document_id"] for frame in stream.frames] == [str(document_id)]


def test_a_stream_in_which_nothing_happens_is_kept_alive(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastapi.routing._PING_INTERVAL", 0.05)
    with following(api) as stream:
        assert stream.comment() == "ping"


def test_a_stream_outlasts_an_outage_of_the_database_and_loses_nothing(
    api: Api, deployment: Deployment, user: UserId, database_url: str
) -> None:
    submit(deployment, user, policy_text())
    with following(api) as stream, psycopg.connect(database_url, autocommit=True) as connection:
        drain_all(deployment)
        connection.execute("ALTER SCHEMA upload_pipeline RENAME TO away")
        answer = api("GET", "/v1/documents")
        assert_problem(answer, 503, "schema_outdated")
        connection.execute("ALTER SCHEMA away RENAME TO upload_pipeline")
        assert stream.told()["state"] == "done"


@dataclass
class Counted:
    """Counts what is asked of the history of all users."""

    announcements: Announcements
    asked: list[str] = field(default_factory=list)

    def horizon(self) -> int | None:
        self.asked.append(threading.current_thread().name)
        return self.announcements.horizon()

    def users_between(self, *given: Any) -> set[UserId]:
        return self.announcements.users_between(*given)


def test_many_streams_hold_no_threads_and_look_at_the_history_once_for_all(
    deployment: Deployment, user: UserId
) -> None:
    made: list[Counted] = []

    def begin() -> Announcements:
        made.append(Counted(deployment.announcements()))
        return made[-1]

    limits = Followers(begin, deployment.documents_of, StreamLimits(60, 60, 60))
    with serving(deployment, user, followers=limits) as api, ExitStack() as ending:
        streams = [ending.enter_context(following(api)) for _ in range(40)]
        threads = {each.name for each in threading.enumerate()}
        asked = len(made[0].asked)
        document_id = ingest(deployment, user, policy_text())
        assert {stream.told()["document_id"] for stream in streams} == {str(document_id)}
        assert len(made) == 1
        assert len(made[0].asked) - asked < len(streams)
        assert len(threads) < len(streams)


def test_a_service_that_stops_ends_its_streams_at_once(database_url: str, tmp_path: Path, user: UserId) -> None:
    with serve(database_url, tmp_path) as served, ExitStack() as ending:
        client = ending.enter_context(httpx.Client(timeout=SECONDS, trust_env=False))
        api: Any = Api(served.url, None, token_of(user), client)  # type: ignore[arg-type]
        stream = ending.enter_context(following(api))
        served.process.terminate()
        assert list(stream.frames) == []
        assert served.process.wait(SECONDS) == 0
    assert "Traceback" not in served.messages
    assert "ERROR" not in served.messages
    assert "GET /v1/events 200" in served.messages
