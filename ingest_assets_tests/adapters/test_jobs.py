"""The queue under many hands."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.retry_policy import GiveUp
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.pipeline.lease import kept_lease
from ingest_assets.pipeline.services import Services
from ingest_assets_tests.documents import TEST, policy_text, submit

LEASE = timedelta(seconds=30)


def fill(services: Services, user: UserId, count: int) -> set[str]:
    return {
        str(submit(services, user, f"# Note {number}\n\nText.", f"{number}.md").document_id) for number in range(count)
    }


def claimed_documents(services: Services) -> list[DocumentId]:
    return [job.document.document_id for job in services.jobs.claim("worker", 9, LEASE)]


def test_twenty_claimers_get_every_job_once(services: Services, user: UserId) -> None:
    wanted = fill(services, user, 60)

    def work(worker: int) -> list[str]:
        mine: list[str] = []
        while claimed := services.jobs.claim(f"worker {worker}", 3, LEASE):
            mine += [str(job.document.document_id) for job in claimed]
        return mine

    with ThreadPoolExecutor(20) as pool:
        claimed = [document for mine in pool.map(work, range(20)) for document in mine]
    assert len(claimed) == len(set(claimed))
    assert set(claimed) == wanted


def test_jobs_are_claimed_in_the_order_in_which_they_came(services: Services, user: UserId) -> None:
    ids = [submit(services, user, f"# Note {number}\n\nText.", f"{number}.md").document_id for number in range(5)]
    assert claimed_documents(services) == ids


def test_a_users_higher_priorities_are_claimed_first(services: Services, user: UserId) -> None:
    ids = [
        submit(services, user, f"Note {priority}.", f"{priority}.txt", priority).document_id for priority in (0, -5, 5)
    ]
    assert claimed_documents(services) == [ids[2], ids[0], ids[1]]


def test_a_new_version_has_the_priority_it_was_submitted_with(services: Services, user: UserId) -> None:
    [first, second] = [submit(services, user, f"Note {name}.", f"{name}.txt", 1).document_id for name in "ab"]
    submit(services, user, "Note b, edited.", "b.txt", priority=2)
    submit(services, user, "Note a, edited.", "a.txt")
    third = submit(services, user, "Note c.", "c.txt", priority=1).document_id
    assert claimed_documents(services) == [second, third, first]


def test_a_replayed_document_keeps_its_priority(services: Services, user: UserId) -> None:
    urgent = submit(services, user, "Note a.", "a.txt", priority=1).document_id
    [job] = services.jobs.claim("worker", 1, LEASE)
    services.jobs.settle(job, GiveUp(), PermanentError("corrupt"), reported=True)
    plain = submit(services, user, "Note b.", "b.txt").document_id
    services.jobs.replay([urgent], TEST)
    assert claimed_documents(services) == [urgent, plain]


def test_an_expired_lease_is_anybodys_and_a_renewed_one_is_not(services: Services, user: UserId) -> None:
    fill(services, user, 2)
    services.jobs.claim("silent", 1, timedelta(0))
    services.jobs.claim("alive", 1, timedelta(0))
    services.jobs.renew("alive", LEASE)
    services.jobs.reclaim(3, TEST)
    assert services.jobs.waiting(5) == 1


def test_a_lease_is_kept_while_its_holder_works(services: Services, user: UserId) -> None:
    fill(services, user, 1)
    short = timedelta(milliseconds=300)
    [job] = services.jobs.claim("worker", 1, short)
    with kept_lease(services.jobs, "worker", short):
        first = services.documents.status(job.document.document_id)
        assert first is not None
        assert first.lease_expires_at is not None
        later = first
        while later.lease_expires_at == first.lease_expires_at:
            found = services.documents.status(job.document.document_id)
            assert found is not None
            later = found
        assert later.lease_expires_at is not None
        assert later.lease_expires_at > first.lease_expires_at


def test_released_jobs_can_be_claimed_at_once(services: Services, user: UserId) -> None:
    fill(services, user, 3)
    services.jobs.claim("leaving", 3, LEASE)
    assert services.jobs.release("leaving") == 3
    assert len(services.jobs.claim("next", 5, LEASE)) == 3


def test_every_change_leaves_an_event_with_its_actor(services: Services, user: UserId) -> None:
    document_id = submit(services, user, policy_text()).document_id
    [job] = services.jobs.claim("worker", 1, LEASE)
    services.jobs.advance(job, Stage.JOB_VALIDATED, Stage.PARSING)
    services.jobs.release("worker")
    told = [(event.stage, event.state, event.actor) for event in services.documents.history(document_id)]
    assert told == [
        ("queued", "queued", "test"),
        ("queued", "working", "worker"),
        ("job_validated", "working", "worker"),
        ("parsing", "working", "worker"),
        ("parsing", "queued", "worker"),
    ]
