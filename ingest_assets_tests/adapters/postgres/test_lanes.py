"""The schema's `lane_of` and the code's are one rule, and jobs follow it whatever moves them on."""

from itertools import product

import psycopg
import pytest
from psycopg.types.json import Jsonb

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
