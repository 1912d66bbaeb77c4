from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from uuid import UUID

import psycopg
import pytest

from ingest_assets.adapters.clock import SystemClock
from ingest_assets.adapters.logging_observer import LoggingObserver
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.spending.paid_calls import CostLimits, PostgresPaidCalls, Wish
from ingest_assets.adapters.providers import LLAMAPARSE, OPENAI
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.spending.costs import Usage
from ingest_assets_tests.system.ingest import Ingest

ONE, OTHER = UserId(UUID(int=1)), UserId(UUID(int=2))
NO_PARSING = {"calls": 0, "pages": 0, "credits": 0, "usd": 0.0}


@pytest.fixture
def ingest(database_url: str, tmp_path: Path) -> Ingest:
    return Ingest(tmp_path, (("INGEST_DATABASE_URL", database_url),))


def spend(database_url: str) -> None:
    database = Database(database_url)
    calls = PostgresPaidCalls(database, SystemClock(), CostLimits(), sleep, LoggingObserver())
    for user in (ONE, ONE, OTHER):
        with calls.begin(OPENAI.name, Usage(tokens=1_000_000, micro_usd=20_000), user, None):
            pass
    with calls.begin(LLAMAPARSE.name, Usage(pages=10, credits=30, micro_usd=37_500), ONE, None):
        pass
    database.close()


def test_both_services_are_told_of_before_anything_is_spent(ingest: Ingest) -> None:
    ran = ingest("costs", "--json")
    assert ran.code == 0
    assert ran.json == {
        "openai": {"calls": 0, "tokens": 0, "usd": 0.0},
        "llamaparse": NO_PARSING,
        "llamacloud": NO_PARSING,
    }


def test_costs_are_told_in_total_and_apart(ingest: Ingest, database_url: str) -> None:
    spend(database_url)
    total = {
        "openai": {"calls": 3, "tokens": 3_000_000, "usd": 0.06},
        "llamaparse": {"calls": 1, "pages": 10, "credits": 30, "usd": 0.0375},
        "llamacloud": NO_PARSING,
    }
    assert ingest("costs", "--json").json == total
    other = {
        "openai": {"calls": 1, "tokens": 1_000_000, "usd": 0.02},
        "llamaparse": NO_PARSING,
        "llamacloud": NO_PARSING,
    }
    by_user = ingest("costs", "--by-user", "--json").json
    assert by_user["openai"] == total["openai"]
    assert [group["user_id"] for group in by_user["groups"]] == [str(ONE), str(OTHER)]
    assert by_user["groups"][1] == {"user_id": str(OTHER)} | other
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE upload_pipeline.paid_calls SET started_at = '2026-01-31 23:59:59+00'")
    by_both = ingest("costs", "--by-day", "--by-user", "--json").json["groups"]
    assert by_both[1] == {"day": "2026-01-31", "user_id": str(OTHER)} | other


def test_people_get_a_table(ingest: Ingest, database_url: str) -> None:
    spend(database_url)
    ran = ingest("costs", "--by-day")
    assert ran.code == 0
    assert str(datetime.now(UTC).year) in ran.stdout
    assert "0.060000" in ran.stdout
    assert "0.037500" in ran.stdout


def lose_a_worker(database_url: str) -> None:
    """Begin calls that nobody ends."""
    database = Database(database_url)
    calls = PostgresPaidCalls(database, SystemClock(), CostLimits(), sleep, LoggingObserver())
    calls._reserve(Wish(OPENAI.name, Usage(tokens=500_000, micro_usd=10_000), ONE, None))
    calls._reserve(Wish(LLAMAPARSE.name, Usage(pages=4, credits=12, micro_usd=15_000), OTHER, None))
    database.close()


def test_what_is_uncertain_is_told_beside_what_is_certain(ingest: Ingest, database_url: str) -> None:
    spend(database_url)
    certain = ingest("costs", "--json").json
    lose_a_worker(database_url)
    told = ingest("costs", "--by-user", "--json").json
    assert told["openai"].pop("uncertain") == {"calls": 1, "tokens": 500_000, "usd": 0.01}
    assert told["llamaparse"].pop("uncertain") == {"calls": 1, "pages": 4, "credits": 12, "usd": 0.015}
    groups = told.pop("groups")
    assert told == certain
    assert ["uncertain" in group["openai"] for group in groups] == [True, False]
    assert ["uncertain" in group["llamaparse"] for group in groups] == [False, True]
    shown = ingest("costs").stdout
    assert "openai, uncertain" in shown
    assert "0.015000" in shown
    assert "at most" in shown
