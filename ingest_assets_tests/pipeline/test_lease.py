"""Leases of workers at work."""

from datetime import timedelta

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.pipeline.lease import kept_lease
from ingest_assets_tests.documents import policy_text, status_of, submit


def test_a_lease_is_kept_while_its_holder_works(deployment: Deployment, user: UserId) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    short = timedelta(milliseconds=300)
    deployment.claims.claim("worker", 1, short)
    with kept_lease(deployment.claims, "worker", short, deployment.observer):
        first = status_of(deployment, document_id).lease_expires_at
        later = first
        while later == first:
            later = status_of(deployment, document_id).lease_expires_at
        assert first is not None
        assert later is not None
        assert later > first
