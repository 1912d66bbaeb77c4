"""A session that has stopped answering loses its locks, and no other waits for it without bound."""

from datetime import timedelta

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from ingest_assets.adapters.postgres.database import Database, connected
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.sessions import LIMITS, SessionLimits, with_network_limits
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import OutageError, ResourceError
from ingest_assets.domain.roles import Role
from ingest_assets_tests.documents import TEST, policy_text, submit

SHORT, LONG = timedelta(milliseconds=200), timedelta(seconds=60)


def test_a_frozen_workers_locks_are_free_before_others_give_up_waiting() -> None:
    idle = LIMITS[Role.WORKER].idle_in_transaction
    assert all(idle < limits.lock for limits in LIMITS.values())


def test_every_session_is_limited(database_url: str, deployment: Deployment, user: UserId) -> None:
    limited = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")

    def limits_of(connection: psycopg.Connection[dict[str, str]]) -> list[str]:
        return [row[name] for name in limited for row in [connection.execute(f"SHOW {name}").fetchone()] if row]

    with deployment.database.connection() as worker, connected(database_url) as owner:
        assert limits_of(worker) == ["5min", "15s", "10s"]
        assert limits_of(owner) == ["0", "15s", "1min"]
    with deployment.database.as_seen_by(user).connection() as reader:
        assert limits_of(reader) == ["30s", "5s", "10s"]
    with deployment.database.connection() as worker:
        assert limits_of(worker) == ["5min", "15s", "10s"]


def test_a_submission_gets_through_although_a_frozen_worker_holds_its_document(
    deployment: Deployment, database_url: str, user: UserId
) -> None:
    first = submit(deployment, user, policy_text("One"))
    frozen = Database(database_url, limits=SessionLimits(LONG, LONG, idle_in_transaction=SHORT))
    with pytest.raises(OutageError), frozen.transaction() as connection:  # noqa: PT012  the transaction ends badly
        connection.execute(query("lock_job"), {"document_id": first.document_id})
        second = submit(deployment, user, policy_text("Two"))
    frozen.close()
    assert (second.document_id, second.status) == (first.document_id, "new_version")


def test_a_lapsed_lease_is_reclaimed_although_a_frozen_worker_holds_its_row(
    deployment: Deployment, database_url: str, user: UserId
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    deployment.claims.claim("frozen", 1, timedelta(0))
    frozen = Database(database_url, limits=SessionLimits(LONG, LONG, idle_in_transaction=SHORT))
    with pytest.raises(OutageError), frozen.transaction() as connection:  # noqa: PT012  the transaction ends badly
        connection.execute(query("lock_job"), {"document_id": document_id})
        with deployment.database.connection() as waiting:
            waiting.execute("SELECT FROM upload_pipeline.upload_jobs FOR UPDATE")  # until the frozen one is cut off
        assert deployment.claims.reclaim(3, TEST) == 1
    frozen.close()


def test_nothing_waits_for_a_lock_longer_than_it_says(deployment: Deployment, database_url: str, user: UserId) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    hasty = Database(database_url, limits=SessionLimits(LONG, lock=SHORT, idle_in_transaction=LONG))
    with deployment.database.transaction() as holding:
        holding.execute(query("lock_job"), {"document_id": document_id})
        with pytest.raises(ResourceError, match=r"0\.2 seconds") as raised, hasty.connection() as waiting:
            waiting.execute(query("lock_job"), {"document_id": document_id})
    hasty.close()
    assert raised.value.code == "database_locked"


def test_no_statement_runs_for_longer_than_its_limit(database_url: str) -> None:
    hasty = Database(database_url, limits=SessionLimits(statement=SHORT, lock=LONG, idle_in_transaction=LONG))
    with pytest.raises(ResourceError) as raised, hasty.connection() as connection:
        connection.execute("SELECT pg_sleep(60)")
    hasty.close()
    assert raised.value.code == "database_slow"


def test_a_server_that_takes_no_changes_is_an_outage(deployment: Deployment) -> None:
    with deployment.database.connection() as connection:
        connection.execute("SET default_transaction_read_only = on")
    with pytest.raises(OutageError) as raised:
        deployment.claims.claim("worker", 1, LONG)
    assert raised.value.code == "database_read_only"


def test_a_host_that_lost_power_is_noticed_unless_the_url_says_otherwise() -> None:
    url = "postgresql://worker@db.example/ingest?keepalives_idle=60"
    found = conninfo_to_dict(with_network_limits(url))
    assert (found["keepalives_idle"], found["tcp_user_timeout"], found["host"]) == ("60", "25000", "db.example")
