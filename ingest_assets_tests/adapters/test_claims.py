"""The queue under many hands."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.retry_policy import GiveUp
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.pipeline.lease import kept_lease
from ingest_assets_tests.documents import TEST, move, policy_text, submit

LEASE = timedelta(seconds=30)


def fill(deployment: Deployment, user: UserId, count: int) -> set[str]:
    return {
        str(submit(deployment, user, f"# Note {number}\n\nText.", f"{number}.md").document_id)
        for number in range(count)
    }


def claimed_documents(deployment: Deployment) -> list[DocumentId]:
    return [job.document.document_id for job in deployment.claims.claim("worker", 9, LEASE)]


def test_twenty_claimers_get_every_job_once(deployment: Deployment, user: UserId) -> None:
    wanted = fill(deployment, user, 60)

    def work(worker: int) -> list[str]:
        mine: list[str] = []
        while claimed := deployment.claims.claim(f"worker {worker}", 3, LEASE):
            mine += [str(job.document.document_id) for job in claimed]
        return mine

    with ThreadPoolExecutor(20) as pool:
        claimed = [document for mine in pool.map(work, range(20)) for document in mine]
    assert len(claimed) == len(set(claimed))
    assert set(claimed) == wanted


def test_jobs_are_claimed_in_the_order_in_which_they_came(deployment: Deployment, user: UserId) -> None:
    ids = [submit(deployment, user, f"# Note {number}\n\nText.", f"{number}.md").document_id for number in range(5)]
    assert claimed_documents(deployment) == ids


def test_a_users_higher_priorities_are_claimed_first(deployment: Deployment, user: UserId) -> None:
    ids = [
        submit(deployment, user, f"Note {priority}.", f"{priority}.txt", priority).document_id
        for priority in (0, -5, 5)
    ]
    assert claimed_documents(deployment) == [ids[2], ids[0], ids[1]]


def test_a_new_version_has_the_priority_it_was_submitted_with(deployment: Deployment, user: UserId) -> None:
    [first, second] = [submit(deployment, user, f"Note {name}.", f"{name}.txt", 1).document_id for name in "ab"]
    submit(deployment, user, "Note b, edited.", "b.txt", priority=2)
    submit(deployment, user, "Note a, edited.", "a.txt")
    third = submit(deployment, user, "Note c.", "c.txt", priority=1).document_id
    assert claimed_documents(deployment) == [second, third, first]


def test_a_replayed_document_keeps_its_priority(deployment: Deployment, user: UserId) -> None:
    urgent = submit(deployment, user, "Note a.", "a.txt", priority=1).document_id
    [job] = deployment.claims.claim("worker", 1, LEASE)
    deployment.claims.settle(job, GiveUp(), PermanentError("corrupt"), reported=True)
    plain = submit(deployment, user, "Note b.", "b.txt").document_id
    deployment.operations.replay([urgent], TEST)
    assert claimed_documents(deployment) == [urgent, plain]


def test_an_expired_lease_is_anybodys_and_a_renewed_one_is_not(deployment: Deployment, user: UserId) -> None:
    fill(deployment, user, 2)
    deployment.claims.claim("silent", 1, timedelta(0))
    deployment.claims.claim("alive", 1, timedelta(0))
    deployment.claims.renew("alive", LEASE)
    deployment.claims.reclaim(3, TEST)
    assert deployment.backlog.waiting(5) == 1


def test_a_lease_is_kept_while_its_holder_works(deployment: Deployment, user: UserId) -> None:
    fill(deployment, user, 1)
    short = timedelta(milliseconds=300)
    [job] = deployment.claims.claim("worker", 1, short)
    with kept_lease(deployment.claims, "worker", short, deployment.observer):
        first = deployment.documents.status(job.document.document_id)
        assert first is not None
        assert first.lease_expires_at is not None
        later = first
        while later.lease_expires_at == first.lease_expires_at:
            found = deployment.documents.status(job.document.document_id)
            assert found is not None
            later = found
        assert later.lease_expires_at is not None
        assert later.lease_expires_at > first.lease_expires_at


def test_released_jobs_can_be_claimed_at_once(deployment: Deployment, user: UserId) -> None:
    fill(deployment, user, 3)
    deployment.claims.claim("leaving", 3, LEASE)
    assert deployment.claims.release("leaving") == 3
    assert len(deployment.claims.claim("next", 5, LEASE)) == 3


def test_every_change_leaves_an_event_with_its_actor(deployment: Deployment, user: UserId) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    [job] = deployment.claims.claim("worker", 1, LEASE)
    move(deployment, job, Stage.JOB_VALIDATED, Stage.PARSING)
    deployment.claims.release("worker")
    told = [(event.stage, event.state, event.actor) for event in deployment.documents.history(document_id)]
    assert told == [
        ("queued", "queued", "test"),
        ("queued", "working", "worker"),
        ("job_validated", "working", "worker"),
        ("parsing", "working", "worker"),
        ("parsing", "queued", "worker"),
    ]
