"""Whose documents are claimed, and in which order."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queue.backlog import PostgresBacklog
from ingest_assets.adapters.postgres.queue.claims import PostgresClaims
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.queue.jobs import Job
from ingest_assets.domain.queue.stages import Stage, State
from ingest_assets_tests.queue_rows import QueueRow, empty, fill, several

LEASE = timedelta(seconds=30)
DAY = timedelta(days=1)
USERS = [UserId(UUID(int=number)) for number in range(1, 8)]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    yield made
    made.close()


@pytest.fixture
def claims(database: Database) -> PostgresClaims:
    return PostgresClaims(database)


@pytest.fixture
def backlog(database: Database) -> PostgresBacklog:
    return PostgresBacklog(database)


def ids(claimed: list[Job]) -> list[UUID]:
    return [job.job_id for job in claimed]


def users(claimed: list[Job]) -> list[UserId]:
    return [job.document.user_id for job in claimed]


ROWS = st.builds(
    QueueRow,
    user_id=st.sampled_from(USERS),
    state=st.sampled_from([State.QUEUED, State.QUEUED, State.RETRYABLE, *State]),
    priority=st.integers(-1, 1),
    age=st.integers(0, 9).map(lambda seconds: timedelta(seconds=seconds)),
    due_in=st.sampled_from([-DAY, DAY]),
    job_id=st.uuids(),
)


def claimable(rows: list[QueueRow], per_user: int | None, *, retries_only: bool) -> dict[UserId, list[UUID]]:
    """Each user's jobs that may be claimed, in their order."""
    due = [row for row in rows if row.state is State.RETRYABLE and row.due_in < timedelta(0)]
    fresh = [row for row in rows if row.state is State.QUEUED and not retries_only]
    working = Counter(row.user_id for row in rows if row.state is State.WORKING)
    found: dict[UserId, list[UUID]] = defaultdict(list)
    for row in sorted(due + fresh, key=lambda row: (-row.priority, -row.age, row.job_id)):
        if per_user is None or len(found[row.user_id]) + working[row.user_id] < per_user:
            found[row.user_id].append(row.job_id)
    return {user: mine for user, mine in found.items() if mine}


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(ROWS, max_size=40, unique_by=lambda row: row.job_id),
    limit=st.integers(1, 12),
    per_user=st.none() | st.integers(1, 4),
    retries_only=st.booleans(),
)
def test_any_queue_is_claimed_fairly_and_by_priority(
    database: Database, rows: list[QueueRow], limit: int, per_user: int | None, *, retries_only: bool
) -> None:
    empty(database.url)
    fill(database.url, rows)
    wanted = claimable(rows, per_user, retries_only=retries_only)
    if not retries_only:
        assert PostgresBacklog(database, per_user).waiting(limit) == min(limit, sum(map(len, wanted.values())))

    claimed = PostgresClaims(database, per_user).claim("worker", limit, LEASE, retries_only=retries_only)

    taken: dict[UserId, list[UUID]] = {user: [] for user in wanted}
    turns = []
    for job in claimed:
        taken[job.document.user_id].append(job.job_id)
        turns.append(len(taken[job.document.user_id]))
    assert len(claimed) == min(limit, sum(map(len, wanted.values())))
    assert turns == sorted(turns)
    for user, mine in taken.items():
        assert mine == wanted[user][: len(mine)]
        assert len(mine) >= min(len(wanted[user]), limit // len(wanted))
        assert len(mine) >= max(turns) - 1 or mine == wanted[user]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 7, 10])
def test_the_round_goes_on_with_the_next_claim(claims: PostgresClaims, database_url: str, limit: int) -> None:
    fill(database_url, [row for user in USERS for row in several(3, user)])
    order: list[UserId] = []
    while claimed := claims.claim("worker", limit, LEASE):
        order += users(claimed)
    assert sorted(order[:7]) == USERS
    assert order == order[:7] * 3


@pytest.mark.parametrize("limit", [2, 4, 32])
def test_a_single_document_is_among_the_first_two_however_many_another_user_has_queued(
    claims: PostgresClaims, database_url: str, limit: int
) -> None:
    fill(database_url, several(10_000, USERS[0]))
    for _ in range(3):
        assert set(users(claims.claim("worker", limit, LEASE))) == {USERS[0]}
    fill(database_url, [QueueRow(USERS[1], priority=-100)])
    assert USERS[1] in users(claims.claim("worker", limit, LEASE))[:2]


def test_one_at_a_time_a_single_document_is_among_the_next_two_claims(
    claims: PostgresClaims, database_url: str
) -> None:
    fill(database_url, [*several(20, USERS[0]), *several(1, USERS[1])])
    order = [user for _ in range(4) for user in users(claims.claim("worker", 1, LEASE))]
    assert sorted(order[:2]) == USERS[:2]
    assert order[2:] == [USERS[0]] * 2


def test_retries_that_are_not_due_delay_nobody(
    claims: PostgresClaims, backlog: PostgresBacklog, database_url: str
) -> None:
    waiting = [QueueRow(user, State.RETRYABLE, 9, DAY, DAY) for user in USERS[:6] for _ in range(500)]
    strangers = [QueueRow(UserId(uuid4()), State.RETRYABLE, due_in=DAY) for _ in range(500)]
    [due, queued] = [QueueRow(USERS[0], State.RETRYABLE, due_in=-DAY), QueueRow(USERS[6])]
    fill(database_url, [*waiting, *strangers, due, queued])
    assert backlog.waiting(5) == 2
    assert ids(claims.claim("worker", 5, LEASE, retries_only=True)) == [due.job_id]
    assert ids(claims.claim("worker", 1, LEASE)) == [queued.job_id]
    assert claims.claim("worker", 5, LEASE) == []


def test_users_at_their_limit_hide_nobody_who_has_room(database: Database) -> None:
    limited, backlog = PostgresClaims(database, per_user=2), PostgresBacklog(database, per_user=2)
    crowd = [UserId(uuid4()) for _ in range(30)]
    held = [QueueRow(user, State.WORKING) for user in crowd for _ in range(2)]
    fill(database.url, [*held, *(row for user in crowd for row in several(3, user)), *several(3, USERS[0])])
    assert backlog.waiting(9) == 2
    assert users(limited.claim("worker", 1, LEASE)) == [USERS[0]]
    assert users(limited.claim("worker", 9, LEASE)) == [USERS[0]]
    assert backlog.waiting(9) == 0
    limited.release("worker")
    assert backlog.waiting(9) == 2


def test_a_run_that_a_person_started_counts_but_is_not_refused(database: Database) -> None:
    limited = PostgresClaims(database, per_user=2)
    rows = several(5, USERS[0])
    fill(database.url, rows)
    started = [limited.take(DocumentId(row.job_id), "person", LEASE, Stage.JOB_VALIDATED) for row in rows[:3]]
    assert len(started) == 3
    assert limited.claim("worker", 5, LEASE) == []
    limited.release("person")
    assert ids(limited.claim("worker", 5, LEASE)) == [row.job_id for row in rows[:2]]


@contextmanager
def being_claimed(url: str, rows: list[QueueRow]) -> Iterator[None]:
    """As long as another claim that has not ended holds them."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "SELECT FROM upload_pipeline.upload_jobs WHERE job_id = ANY(%s) FOR UPDATE", [[row.job_id for row in rows]]
        )
        yield


def test_the_same_users_next_jobs_are_claimed_beside_others(claims: PostgresClaims, database_url: str) -> None:
    rows = several(60, USERS[0])
    fill(database_url, rows)
    with being_claimed(database_url, rows[:50]):
        assert ids(claims.claim("worker", 5, LEASE)) == [row.job_id for row in rows[50:55]]


def test_whoever_finds_the_first_users_jobs_taken_gets_the_nexts(claims: PostgresClaims, database_url: str) -> None:
    first, second = several(1, USERS[0]), several(1, USERS[1])
    for taken, left in [(first, second), (second, first)]:
        fill(database_url, [*taken, *left])
        with being_claimed(database_url, taken):
            assert ids(claims.claim("worker", 1, LEASE)) == [left[0].job_id]
        empty(database_url)


def test_nothing_is_claimed_where_nothing_is_asked_for(
    claims: PostgresClaims, backlog: PostgresBacklog, database_url: str
) -> None:
    fill(database_url, several(1, USERS[0]))
    assert claims.claim("worker", 0, LEASE) == []
    assert backlog.waiting(1) == 1


def test_a_priority_outside_its_range_is_refused(database_url: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        fill(database_url, [QueueRow(USERS[0], priority=101)])
