"""Whoever has a token of their own tries to learn of other users' documents by lists and streams."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.settings import Settings
from ingest_assets_tests.documents import drain_all, ingest, policy_text, submit
from ingest_assets_tests.http.api import SECRET, Api, serving
from ingest_assets_tests.http.streams import following


@pytest.fixture
def api(settings: Settings, user: UserId) -> Iterator[Api]:
    deployment = Deployment(settings.model_copy(update={"jwt_secret": SecretStr(SECRET)}))
    try:
        with serving(deployment, user) as served:
            yield served
    finally:
        deployment.close()


@pytest.fixture
def theirs(deployment: Deployment, other_user: UserId) -> set[str]:
    """Another user's documents: one that searches find, and one that failed."""
    contents = {"their.md": policy_text("Theirs").encode(), "their.pdf": b"%PDF-1.4 truncated"}
    return {str(ingest(deployment, other_user, content, name)) for name, content in contents.items()}


@pytest.mark.parametrize(
    "params",
    [
        *({}, {"state": "done"}, {"state": "deadletter"}, {"code": "corrupt"}, {"name": "their"}, {"name": ""}),
        *({"warnings": "true"}, {"since": "2000-01-01"}, {"limit": 200}, {"user_id": "OTHER"}, {"user": "OTHER"}),
    ],
)
def test_no_list_holds_another_users_document(
    api: Api, deployment: Deployment, user: UserId, other_user: UserId, theirs: set[str], params: dict[str, Any]
) -> None:
    mine = submit(deployment, user, policy_text("Mine"), "mine.md").document_id
    asked = {name: str(other_user) if value == "OTHER" else value for name, value in params.items()}
    answer = api("GET", "/v1/documents", params=asked)
    listed = {each["document_id"] for each in answer.json()["documents"]}
    assert listed <= {str(mine)}
    assert not any(each in answer.text for each in theirs)
    refused = {api("GET", "/v1/documents", params={"after": each}).text for each in (*theirs, str(uuid4()))}
    assert len(refused) == 1


@pytest.mark.parametrize("after", [None, 0, 1])
def test_no_stream_tells_of_another_users_document(
    api: Api, deployment: Deployment, user: UserId, other_user: UserId, theirs: set[str], after: int | None
) -> None:
    with ExitStack() as ending:
        stream = ending.enter_context(following(api, after))
        their_stream = ending.enter_context(following(api.of(other_user), after))
        new = ingest(deployment, other_user, policy_text("Their new one"), "new.md")
        mine = submit(deployment, user, policy_text("Mine"), "mine.md").document_id
        drain_all(deployment)
        assert stream.told()["document_id"] == str(mine)
        told = [their_stream.told()["document_id"] for _ in range(1 if after is None else 3)]
    assert set(told) == {str(new)} | (set() if after is None else theirs)
