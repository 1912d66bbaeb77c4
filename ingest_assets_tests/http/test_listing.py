"""Lists of documents over HTTP, page by page."""

from typing import Any
from uuid import uuid4

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets_tests.documents import drain_all, ingest, policy_text, submit
from ingest_assets_tests.http.api import Api, assert_problem
from ingest_assets_tests.sample_files import scanned_pdf

PATH = "/v1/documents"


def names(api: Api, **params: Any) -> list[str]:
    answer = api("GET", PATH, params=params)
    assert answer.status_code == 200, answer.text
    return [each["filename"] for each in answer.json()["documents"]]


def test_documents_are_listed_newest_first_page_by_page(api: Api, deployment: Deployment, user: UserId) -> None:
    for number in range(5):
        submit(deployment, user, policy_text(str(number)), f"{number}.md")
    pages: list[list[str]] = []
    after = None
    while not pages or after:
        page = api("GET", PATH, params={"limit": 2} | ({"after": after} if after else {})).json()
        pages.append([each["filename"] for each in page["documents"]])
        after = page["next"]
    assert pages == [["4.md", "3.md"], ["2.md", "1.md"], ["0.md"]]
    assert api("GET", PATH, params={"limit": 5}).json()["next"] is None


def test_a_page_goes_on_although_new_documents_have_come(api: Api, deployment: Deployment, user: UserId) -> None:
    for number in range(3):
        submit(deployment, user, policy_text(str(number)), f"{number}.md")
    first = api("GET", PATH, params={"limit": 1}).json()
    submit(deployment, user, policy_text("new"), "new.md")
    assert names(api, after=first["next"]) == ["1.md", "0.md"]


def test_a_listed_document_says_what_the_command_line_does(api: Api, deployment: Deployment, user: UserId) -> None:
    scan = ingest(deployment, user, scanned_pdf("The walrus is covered."), "scan.pdf")
    [document] = api("GET", PATH).json()["documents"]
    assert document == {
        "document_id": str(scan),
        "filename": "scan.pdf",
        "stage": "embedded",
        "state": "done",
        "searchable": True,
        "warnings": [{"kind": "pages_without_text", "count": 1}],
        "code": None,
    }


def test_a_list_holds_only_what_was_asked_for(api: Api, deployment: Deployment, user: UserId) -> None:
    submit(deployment, user, scanned_pdf("The walrus is covered."), "Scan 7.pdf")
    submit(deployment, user, policy_text(), "policy.md")
    submit(deployment, user, b"%PDF-1.4 truncated", "bad.pdf")
    drain_all(deployment)
    assert names(api, warnings="true") == ["Scan 7.pdf"]
    assert names(api, name="sCAN") == ["Scan 7.pdf"]
    assert names(api, code="corrupt") == names(api, state="deadletter") == ["bad.pdf"]
    assert names(api, code="corrupt", name="policy") == []
    assert names(api, since="2000-01-01T00:00:00") == ["bad.pdf", "policy.md", "Scan 7.pdf"]
    assert names(api, since="2999-01-01T00:00:00+02:00") == []


@pytest.mark.parametrize(
    "params",
    [
        *({"limit": 0}, {"limit": 201}, {"state": "quokka"}, {"code": "quokka"}, {"since": "quokka"}),
        *({"after": "quokka"}, {"warnings": "quokka"}, {"name": "q" * 201}),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused(api: Api, params: dict[str, Any]) -> None:
    refused = api("GET", PATH, params=params)
    assert_problem(refused, 422, "invalid_request")
    assert "quokka" not in refused.text


def test_a_page_behind_a_document_that_is_not_there_is_refused(
    api: Api, deployment: Deployment, user: UserId, other_user: UserId
) -> None:
    submit(deployment, user, policy_text("mine"), "mine.md")
    theirs = submit(deployment, other_user, policy_text("theirs"), "theirs.md").document_id
    for unknown in (uuid4(), theirs):
        assert_problem(api("GET", PATH, params={"after": str(unknown)}), 404, "unknown_document")


def test_nothing_is_listed_without_a_token(api: Api) -> None:
    assert_problem(api.plainly("GET", PATH), 401, "token_missing")
