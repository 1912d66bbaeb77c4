"""`ingest list` goes on behind a document, and only behind one that there is."""

import json
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from ingest_assets.cli.app import app
from ingest_assets.cli.named_documents import behind
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.documents.listing import Listing
from ingest_assets_tests.cli.in_process import Here
from ingest_assets_tests.documents import TEST, submit


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path, user: object) -> Here:
    return Here(monkeypatch, database_url, tmp_path / "home", user)


@pytest.mark.parametrize("is_known", [True, False])
def test_a_list_behind_a_document_that_the_reader_does_not_have_is_refused(
    here: Here, deployment: Deployment, user: UserId, other_user: UserId, *, is_known: bool
) -> None:
    mine = submit(deployment, user, "One.", "one.md").document_id
    theirs = submit(deployment, other_user, "Two.", "two.md").document_id
    assert here("list", "--after", mine) == []

    after = theirs if is_known else uuid4()
    ran = CliRunner().invoke(app, ["list", "--after", str(after), "--user", str(user), "--json"])

    assert ran.exit_code == 1
    assert json.loads(ran.stderr)["code"] == "unknown_document"


def test_pages_go_on_behind_what_is_left_of_the_last_one(deployment: Deployment, user: UserId) -> None:
    ids = [submit(deployment, user, f"{name}.", f"{name}.md").document_id for name in "abcd"]
    page = Listing(limit=2)
    first = deployment.documents.listed(page)
    deployment.deletion.delete(first[-1].document_id, TEST)

    assert [each.document_id for each in behind(first, page, deployment.documents)] == [ids[1], ids[0]]
    for each in ids:
        deployment.deletion.delete(each, TEST)
    assert behind(first, replace(page, limit=9), deployment.documents) == []
