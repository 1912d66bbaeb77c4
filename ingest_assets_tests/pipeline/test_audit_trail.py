"""Every event says who did it, and what it belongs together with."""

from collections import defaultdict
from pathlib import Path
from uuid import UUID, uuid4

import dagster as dg
import psycopg
import pytest

from ingest_assets.adapters.postgres.queries import queries
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.domain.queue.retry_policy import GiveUp
from ingest_assets_tests.documents import TEST, policy_text, submit
from ingest_assets_tests.orchestration.runs import run_drain, run_partition
from ingest_assets_tests.system.ingest import Ingest

WRITES_EVENTS = sorted(name for name, text in queries().items() if b"INTO upload_pipeline.events" in text)


def occasions(url: str) -> dict[str, set[str]]:
    """The correlation ids by the actors that left them."""
    found = defaultdict(set)
    with psycopg.connect(url) as connection:
        for actor, correlation_id in connection.execute("SELECT actor, correlation_id FROM upload_pipeline.events"):
            found[actor].add(correlation_id)
    return dict(found)


@pytest.mark.parametrize("name", WRITES_EVENTS)
def test_whatever_writes_events_names_actor_and_occasion(name: str) -> None:
    columns = queries()[name].partition(b"INTO upload_pipeline.events")[2].partition(b")")[0]
    assert b"actor, correlation_id" in columns


def test_each_call_of_a_command_is_an_occasion_of_its_own(database_url: str, tmp_path: Path) -> None:
    ingest = Ingest(tmp_path, (("INGEST_DATABASE_URL", database_url), ("INGEST_USER_ID", str(uuid4()))))
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("dental", "optical"):
        (folder / f"{name}.md").write_text(policy_text(name))
    [first, _] = ingest("submit", folder, "--json").json
    assert list(occasions(database_url)) == ["ingest submit"]
    assert len(occasions(database_url)["ingest submit"]) == 1
    (folder / "dental.md").write_text(policy_text("changed"))
    ingest("submit", folder)
    assert len(occasions(database_url)["ingest submit"]) == 2
    ingest("delete", first["document_id"])
    [deletion] = occasions(database_url)["ingest delete"]
    assert UUID(deletion) not in map(UUID, occasions(database_url)["ingest submit"])


def test_what_follows_from_an_occasion_is_named_by_it_whoever_does_it(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId, database_url: str
) -> None:
    one = submit(deployment, user, policy_text("Dental"), "dental.md").document_id
    run = run_partition(deployment, instance, one)
    submit(deployment, user, policy_text("Optical"), "optical.md")
    drained = run_drain(deployment, instance)
    found = occasions(database_url)
    assert found[run.run_id] == found[drained.run_id] == found[TEST.name] == {TEST.correlation_id}


def test_a_replay_begins_an_occasion_and_a_worker_that_gives_back_does_not(
    deployment: Deployment, user: UserId, database_url: str
) -> None:
    one = submit(deployment, user, policy_text("Dental"), "dental.md").document_id
    lease = deployment.settings.lease
    [job] = deployment.claims.claim("first", 1, lease)
    deployment.claims.release(job.claim)
    [job] = deployment.claims.claim("second", 1, lease)
    assert job.correlation_id == TEST.correlation_id
    deployment.claims.settle(job, GiveUp(), PermanentError("corrupt"), reported=False)
    deployment.operations.replay([one], Actor("somebody", "another occasion"))
    [job] = deployment.claims.claim("third", 1, lease)
    assert job.correlation_id == "another occasion"
    found = occasions(database_url)
    assert found["first"] == found["second"] == {TEST.correlation_id}
    assert found["third"] == {"another occasion"}


def test_nothing_that_is_done_leaves_an_event_without_its_occasion(
    deployment: Deployment, user: UserId, database_url: str
) -> None:
    actor = Actor("somebody", "an occasion")
    one = submit(deployment, user, policy_text("Dental"), "dental.md").document_id
    [job] = deployment.claims.claim("worker", 1, deployment.settings.lease)
    deployment.claims.release(job.claim)
    deployment.operations.replay([one], actor)
    deployment.operations.refresh([one], actor)
    deployment.claims.reclaim(1, actor)
    deployment.deletion.delete(one, actor)
    assert None not in set().union(*occasions(database_url).values())
