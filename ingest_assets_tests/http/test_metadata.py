"""What is known about documents, over HTTP."""

import json
from typing import Any

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets_tests.documents import drain_all, policy_text
from ingest_assets_tests.http.api import Api, assert_problem

KNOWN = {"policy_number": "POL-1", "date": "03.07.2024"}


def found(api: Api, *conditions: str) -> list[str]:
    body = {"query": "zebra giraffe", "where": list(conditions)}
    return sorted({hit["filename"] for hit in api("POST", "/v1/search", json=body).json()})


def test_metadata_comes_with_a_document_chooses_it_is_counted_and_changes(api: Api, deployment: Deployment) -> None:
    params = {"metadata": ["policy_number=POL-1", "date=03.07.2024"]}
    path = api.submit(policy_text("Zebra"), "zebra.md", params=params).headers["location"]
    api.submit(policy_text("Giraffe"), "giraffe.md", params={"metadata": "policy_number=POL-2"})
    drain_all(deployment)
    assert api("GET", path).json()["metadata"] == {"policy_number": "POL-1", "date": "2024-07-03"}
    assert found(api) == ["giraffe.md", "zebra.md"]
    assert found(api, "date>2024-01-01", "policy_number=POL-1") == ["zebra.md"]
    changed = api("PATCH", path, json={"metadata": {"date": None, "reserve": 12.5}})
    assert changed.json() == {"metadata": {"policy_number": "POL-1", "reserve": "12.5"}}
    assert found(api, "reserve<100") == ["zebra.md"]
    counted = api("GET", "/v1/facets", params={"key": ["policy_number", "date"]}).json()
    assert counted == {"policy_number": {"POL-1": 1, "POL-2": 1}, "date": {}}
    chosen = api("GET", "/v1/facets", params={"key": "policy_number", "where": "reserve>1"}).json()
    assert chosen == {"policy_number": {"POL-1": 1}}


@pytest.mark.parametrize("is_first", [True, False])
def test_a_form_says_it_in_a_field_before_or_behind_the_file(api: Api, *, is_first: bool) -> None:
    field, file = ("metadata", (None, json.dumps(KNOWN))), ("file", ("zebra.md", b"# Zebra"))
    submitted = api("POST", "/v1/documents", files=[field, file] if is_first else [file, field])
    assert submitted.status_code == 202
    assert api("GET", submitted.headers["location"]).json()["metadata"] == KNOWN | {"date": "2024-07-03"}


def test_the_same_content_with_more_metadata_makes_no_work_and_adds_it(api: Api) -> None:
    path = api.submit("# Zebra", params={"metadata": "a=1"}).headers["location"]
    assert api.submit("# Zebra", params={"metadata": "b=2"}).json()["status"] == "unchanged"
    assert api("GET", path).json()["metadata"] == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("POST", "/v1/documents?filename=a.md&metadata=quokka", {"content": b"# x"}),
        ("POST", "/v1/documents", {"files": {"file": ("a.md", b"# x"), "metadata": (None, "[quokka]")}}),
        ("POST", "/v1/search", {"json": {"query": "x", "where": ["date=quokka"]}}),
        ("GET", "/v1/facets?key=a&where=quokka", {}),
    ],
)
def test_what_is_not_understood_is_refused_without_repeating_it(
    api: Api, method: str, path: str, more: dict[str, Any]
) -> None:
    refused = api(method, path, **more)
    assert_problem(refused, 422, "invalid_metadata")
    assert "quokka" not in refused.text


def test_nobody_else_may_read_or_change_it(api: Api, other_user: UserId) -> None:
    path = api.submit("# Zebra", params={"metadata": "a=1"}).headers["location"]
    stranger = api.of(other_user)
    assert_problem(stranger("PATCH", path, json={"metadata": {"a": "2"}}), 404, "unknown_document")
    assert stranger("GET", "/v1/facets", params={"key": "a"}).json() == {"a": {}}
    assert api("GET", path).json()["metadata"] == {"a": "1"}
