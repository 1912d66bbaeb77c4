"""A worker that takes the same document once more, under the same claim, while its earlier attempt is still at work."""

from datetime import timedelta

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.queue.jobs import Job
from ingest_assets.pipeline.attempts import Attempt
from ingest_assets_tests.documents import TEST, a_slot, attempt, claim_one, status_of, submit


def processed(deployment: Deployment, job: Job) -> Attempt:
    """Return an attempt that has only to be committed."""
    begun = deployment.attempts.begin(job)
    assert deployment.attempts.process(begun, a_slot()) is None
    return begun


def text_of(deployment: Deployment) -> str:
    with deployment.database.connection() as connection:
        return str(connection.execute("SELECT text FROM upload_pipeline.document_chunks").fetchall())


def test_an_older_version_is_not_committed_as_the_newer_one_that_the_same_worker_has_claimed(
    deployment: Deployment, user: UserId
) -> None:
    document_id = submit(deployment, user, "The walrus is covered.").document_id
    older = processed(deployment, claim_one(deployment))
    submit(deployment, user, "The penguin is covered.")
    newer = claim_one(deployment)
    deployment.attempts.commit([older])
    attempt(deployment, newer)
    assert status_of(deployment, document_id).searchable
    assert "penguin" in text_of(deployment)


def test_an_attempt_whose_lease_expired_has_no_say_although_the_same_worker_holds_the_document_again(
    deployment: Deployment, user: UserId
) -> None:
    submit(deployment, user, "The walrus is covered.")
    [first] = deployment.claims.claim("worker", 1, timedelta(0))
    late = processed(deployment, first)
    assert deployment.claims.reclaim(3, TEST) == 1
    claim_one(deployment)
    assert len(deployment.attempts.commit([late])) == 1
