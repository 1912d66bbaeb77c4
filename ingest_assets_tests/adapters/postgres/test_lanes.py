"""The schema's `lane_of` and the code's are one rule, and jobs follow it whatever moves them on."""

from itertools import product

import psycopg
import pytest
from psycopg.types.json import Jsonb

from ingest_assets.adapters.postgres.migrations import migrate, migrations
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.queue.jobs import SLOW_CODES
from ingest_assets.domain.queue.lanes import Lane, lane_of
from ingest_assets.domain.queue.stages import Stage
from ingest_assets_tests.documents import claim_one, policy_text, submit, take_through

FAILURES = ({}, *({code: 2} for code in SLOW_CODES), {"timeout": 1, "recognition_slow": 1})


@pytest.mark.parametrize(("stage", "failures"), list(product(Stage, FAILURES)))
def test_the_lane_of_a_job_is_the_same_in_both(database_url: str, stage: Stage, failures: dict[str, int]) -> None:
    with psycopg.connect(database_url) as connection:
        asked = connection.execute("SELECT upload_pipeline.lane_of(%s, %s)", (stage, Jsonb(failures)))
        assert asked.fetchone() == (lane_of(stage, failures),)


def test_a_job_changes_its_lane_with_its_stage(deployment: Deployment, user: UserId, database_url: str) -> None:
    submit(deployment, user, policy_text())
    job = claim_one(deployment)
    with psycopg.connect(database_url, autocommit=True) as connection:

        def lane() -> str:
            [(told,)] = connection.execute("SELECT lane FROM upload_pipeline.upload_jobs")
            return str(told)

        assert lane() == Lane.PARSE
        take_through(deployment, job, "parsed_markdown", "chunks")
        assert lane() == Lane.EMBED
        take_through(deployment, job, "parsed_markdown")
        assert lane() == Lane.PARSE


UNDER_WAY = """
INSERT INTO upload_pipeline.documents (document_id, user_id, filename, media_type, byte_size, content_sha)
SELECT gen_random_uuid(), gen_random_uuid(), name, 'text/plain', 1, repeat('a', 64)
FROM unnest(ARRAY['waiting', 'failed', 'locked', 'at work', 'dead']) AS name;
INSERT INTO upload_pipeline.upload_jobs (job_id, document_id, user_id, version, stage, attempts_by_code)
SELECT gen_random_uuid(), document_id, user_id, 1, 'embedding', '{"timeout": 1}' FROM upload_pipeline.documents;
"""
STATES = {
    "failed": "state = 'retryable', next_retry_at = now(), error_code = 'x', error_message = 'x', error_hint = 'x'",
    "at work": "state = 'working', claimed_by = 'x', lease_expires_at = now()",
    "dead": "state = 'deadletter', error_code = 'x', error_message = 'x', error_hint = 'x'",
}
SET_JOB = """UPDATE upload_pipeline.upload_jobs SET {}
WHERE document_id = (SELECT document_id FROM upload_pipeline.documents WHERE filename = %s)"""
LOCKED = """document_id IN (
    SELECT document_id FROM upload_pipeline.documents WHERE filename IN ('locked', 'at work'))"""
QUEUED = "state = 'queued', claimed_by = NULL, lease_expires_at = NULL"
LANES = "SELECT filename, lane FROM upload_pipeline.upload_jobs JOIN upload_pipeline.documents USING (document_id)"


def test_documents_that_are_under_way_when_lanes_come_get_theirs_without_being_waited_for(
    empty_database_url: str,
) -> None:
    position = [each.name for each in migrations()].index("0038_pre_lanes")
    migrate(empty_database_url, migrations()[:position])
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute(UNDER_WAY.encode())
        for name, state in STATES.items():
            connection.execute(SET_JOB.format(state).encode(), [name])

        def lanes() -> dict[str, str]:
            return dict(connection.execute(LANES.encode()).fetchall())

        migrate(empty_database_url, migrations()[: position + 1])
        assert set(lanes().values()) == {"parse"}
        with psycopg.connect(empty_database_url) as another:
            another.execute(f"SELECT FROM upload_pipeline.upload_jobs WHERE {LOCKED} FOR UPDATE".encode())
            migrate(empty_database_url)
        others = dict.fromkeys(("locked", "at work", "dead"), "parse")
        assert lanes() == dict.fromkeys(("waiting", "failed"), "embed") | others
        for state in ("state = 'working', claimed_by = 'y', lease_expires_at = now()", QUEUED):
            for name in others:
                connection.execute(SET_JOB.format(state).encode(), [name])
        assert set(lanes().values()) == {"embed"}
