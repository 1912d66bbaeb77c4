"""What `ingest export` writes: everything that is stored of a user or a document, and all that was done with it."""

import json
import stat
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from ingest_assets.adapters.postgres.documents.export import KINDS
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets_tests import documents
from ingest_assets_tests.documents import TEST, policy_text, submit
from ingest_assets_tests.system.ingest import Ingest, Ran


@pytest.fixture
def ingest(database_url: str, tmp_path: Path) -> Ingest:
    return Ingest(tmp_path, (("INGEST_DATABASE_URL", database_url),))


def records(ran: Ran) -> list[dict[str, Any]]:
    assert ran.code == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def kinds(found: list[dict[str, Any]]) -> Counter[str]:
    return Counter(record["record"] for record in found)


def test_a_users_export_holds_documents_and_the_trail_of_what_is_gone_and_nothing_of_others(
    ingest: Ingest, deployment: Deployment, user: UserId, other_user: UserId
) -> None:
    kept = documents.ingest(deployment, user, policy_text("Dental"), "dental.md")
    gone = documents.ingest(deployment, user, policy_text("Zebra"), "zebra.md")
    documents.ingest(deployment, other_user, policy_text("Okapi"), "okapi.md")
    deployment.deletion.delete(gone, TEST)
    found = records(ingest("export", "--user", str(user)))
    assert {record["user_id"] for record in found} == {str(user)}
    assert {record["document_id"] for record in found} == {str(kept), str(gone)}
    assert kinds(found)["document"] == kinds(found)["source"] == kinds(found)["deletion"] == 1
    [document] = [record for record in found if record["record"] == "document"]
    assert (document["filename"], document["state"]) == ("dental.md", "done")
    assert document["chunks"] > 0
    trail = [record for record in found if record["record"] == "event" and record["document_id"] == str(gone)]
    assert [event["code"] for event in trail][-1] == "deleted"
    assert len(trail) == len(deployment.documents.history(gone))
    assert "zebra" not in json.dumps([record for record in found if record["document_id"] == str(gone)]).lower()


def test_one_documents_export_says_who_did_what_on_which_occasion(
    ingest: Ingest, deployment: Deployment, user: UserId
) -> None:
    wanted = documents.ingest(deployment, user, policy_text("Dental"), "dental.md")
    documents.ingest(deployment, user, policy_text("Zebra"), "zebra.md")
    found = records(ingest("export", "--document", str(wanted)))
    assert {record["document_id"] for record in found} == {str(wanted)}
    events = [record for record in found if record["record"] == "event"]
    assert [event["event_id"] for event in events] == sorted(event["event_id"] for event in events)
    assert {(event["actor"], event["correlation_id"]) for event in events} == {
        (TEST.name, TEST.correlation_id),
        ("drain", TEST.correlation_id),
    }


def test_a_deleted_document_still_has_its_trail(ingest: Ingest, deployment: Deployment, user: UserId) -> None:
    gone = documents.ingest(deployment, user, policy_text("Zebra"), "zebra.md")
    deployment.deletion.delete(gone, TEST)
    assert set(kinds(records(ingest("export", "--document", str(gone))))) == {"deletion", "event"}


def test_an_output_file_is_for_its_owner_alone(
    ingest: Ingest, deployment: Deployment, user: UserId, tmp_path: Path
) -> None:
    submit(deployment, user, policy_text("Dental"))
    path = tmp_path / "export.jsonl"
    ran = ingest("export", "--user", str(user), "--output", path)
    assert (ran.code, ran.stdout) == (0, "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert kinds([json.loads(line) for line in path.read_text().splitlines()])["document"] == 1
    refused = ingest("export", "--user", str(user), "--output", tmp_path / "nowhere" / "export.jsonl", "--json")
    assert (refused.code, refused.error["code"]) == (2, "wrong_usage")


def test_ids_are_answered_as_by_other_commands(
    ingest: Ingest, deployment: Deployment, user: UserId, other_user: UserId
) -> None:
    document_id = submit(deployment, user, policy_text("Dental")).document_id
    for arguments, code, name in [
        ((), 2, "wrong_usage"),
        (("--user", "no-uuid"), 2, "invalid_id"),
        (("--document", "no-such-name"), 1, "unknown_document"),
        (("--document", str(uuid4())), 1, "unknown_document"),
        (("--document", str(document_id), "--user", str(other_user)), 1, "unknown_document"),
    ]:
        ran = ingest("export", *arguments, "--json")
        assert (ran.code, ran.error["code"], ran.stdout) == (code, name, "")
    assert records(ingest("export", "--user", str(uuid4()))) == []


def test_records_come_one_by_one_as_of_one_moment(deployment: Deployment, user: UserId) -> None:
    first = submit(deployment, user, policy_text("Dental"), "dental.md").document_id
    found = deployment.export.records(user)
    assert next(found)["record"] == next(iter(KINDS))
    submit(deployment, user, policy_text("Zebra"), "zebra.md")
    assert {UUID(str(record["document_id"])) for record in found} == {first}


def test_the_history_for_another_host_has_ids_alone_and_goes_on_where_it_ended(
    ingest: Ingest, deployment: Deployment, user: UserId, other_user: UserId
) -> None:
    first = documents.ingest(deployment, user, policy_text("Dental"), "dental.md")
    sent = records(ingest("export", "--audit"))
    assert {event["document_id"] for event in sent} == {str(first)}
    names = ["event_id", "time", "actor", "correlation_id", "user_id", "document_id", "job_id", "version"]
    assert all(list(event) == [*names, "action", "code"] for event in sent)
    assert all(datetime.fromisoformat(event["time"]).utcoffset() == timedelta(0) for event in sent)
    assert (sent[0]["action"], sent[-1]["action"]) == ("queued/queued", "embedded/done")
    assert "dental" not in json.dumps(sent).lower()

    second = documents.ingest(deployment, other_user, policy_text("Okapi"), "okapi.md")
    deployment.deletion.delete(first, TEST)
    following = records(ingest("export", "--audit", "--after", str(sent[-1]["event_id"])))
    assert {event["document_id"] for event in following} == {str(first), str(second)}
    assert following[-1]["code"] == "deleted"
    assert sent + following == records(ingest("export", "--audit"))
    assert records(ingest("export", "--audit", "--after", str(following[-1]["event_id"]))) == []


def test_the_history_for_another_host_may_be_of_one_user_or_document(
    ingest: Ingest, deployment: Deployment, user: UserId, other_user: UserId
) -> None:
    wanted = documents.ingest(deployment, user, policy_text("Dental"), "dental.md")
    documents.ingest(deployment, other_user, policy_text("Okapi"), "okapi.md")
    for scope in (("--user", str(user)), ("--document", str(wanted))):
        assert {event["user_id"] for event in records(ingest("export", "--audit", *scope))} == {str(user)}


def test_a_place_in_the_history_is_refused_where_it_has_no_meaning(ingest: Ingest, user: UserId) -> None:
    ran = ingest("export", "--user", str(user), "--after", "7", "--json")
    assert (ran.code, ran.error["code"], ran.stdout) == (2, "wrong_usage", "")
