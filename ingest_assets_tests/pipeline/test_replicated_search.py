"""Searches on a real streaming replica, which comes late, follows another database, goes away and comes back."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.adapters.postgres.migrations import migrate
from ingest_assets.cli.commands import doctor
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import IngestError, OutageError, ResourceError
from ingest_assets.domain.facts import ErrorPassedOver, Fact
from ingest_assets.pipeline.replicated_search import LEFT_ALONE_SECONDS, ReplicatedSearchIndex
from ingest_assets.settings import Settings
from ingest_assets_tests.conftest import deployment_for
from ingest_assets_tests.documents import TEST, ingest
from ingest_assets_tests.own_postgres import OwnPostgres, following, own_postgres
from ingest_assets_tests.waiting import until


@dataclass
class Hearing:
    facts: list[Fact] = field(default_factory=list)

    def observe(self, fact: Fact) -> None:
        self.facts.append(fact)

    @property
    def codes(self) -> list[str]:
        return [fact.error.code for fact in self.facts if isinstance(fact, ErrorPassedOver)]


@dataclass
class Time:
    passed: float = 0.0

    def seconds(self) -> float:
        return self.passed


@pytest.fixture(scope="module")
def database() -> Iterator[OwnPostgres]:
    with TemporaryDirectory(prefix="db-") as short, own_postgres(Path(short)) as server:
        migrate(server.url())
        yield server


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="re-") as short:
        yield Path(short)


def deployed(
    stack: ExitStack, database: OwnPostgres, replica: OwnPostgres, home: Path, parser: LocalParser
) -> Deployment:
    settings = Settings(home=home, database_url=SecretStr(database.url()), search_database_url=SecretStr(replica.url()))
    return stack.enter_context(deployment_for(settings, parser))


def caught_up(deployment: Deployment) -> bool:
    state = deployment.replica_state()
    return state is not None and state.behind_bytes == 0


def names_found(deployment: Deployment, user: UserId, words: str) -> list[str]:
    return [hit.filename for hit in deployment.search.passages(user, words, 5)]


def test_searches_go_to_the_replica_until_it_is_away(
    database: OwnPostgres, folder: Path, tmp_path: Path, parser: LocalParser, user: UserId
) -> None:
    with ExitStack() as stack, ExitStack() as running:
        replica = running.enter_context(following(database, folder))
        deployment = deployed(stack, database, replica, tmp_path / "home", parser)
        dental = ingest(deployment, user, "# Dental\n\nCrowns are covered.\n", "dental.md")
        until(lambda: caught_up(deployment))
        assert names_found(deployment, user, "crowns") == ["dental.md"]
        assert doctor._replica(deployment).detail == "it has all that was written"
        with psycopg.connect(replica.url(), autocommit=True) as connection:
            connection.execute("SELECT pg_wal_replay_pause()")
        ingest(deployment, user, "# Travel\n\nLuggage is covered.\n", "travel.md")
        assert names_found(deployment, user, "luggage") == ["dental.md"]  # what is nearest there
        deployment.deletion.delete(dental, TEST)
        assert names_found(deployment, user, "crowns") == []  # the replica finds it still
        assert " bytes behind; the last change that has arrived: " in doctor._replica(deployment).detail
        running.close()
        assert names_found(deployment, user, "luggage")[0] == "travel.md"
        with pytest.raises(OutageError, match="database_unreachable"):
            deployment.replica_state()


def test_a_replica_that_follows_another_database_is_named(
    database: OwnPostgres, folder: Path, tmp_path: Path, parser: LocalParser
) -> None:
    with ExitStack() as stack:
        other = stack.enter_context(own_postgres(folder))
        deployment = deployed(stack, database, other, tmp_path / "home", parser)
        found = doctor._replica(deployment)
        assert (found.ok, found.detail) == (False, "it follows another database, whose documents searches find")
        own = deployed(stack, database, database, tmp_path / "other home", parser)
        assert doctor._replica(own).detail == "it is the database itself, not a replica"


@dataclass
class Answering:
    """An index that finds its own list, or fails."""

    error: IngestError | None = None
    asked: int = 0
    found: list[Any] = field(default_factory=list)

    def matching(self, user_id: UserId, query_text: str, limit: int, documents: object = None) -> list[Any]:
        del user_id, query_text, limit, documents
        return self._answer()

    def hits(self, user_id: UserId, chunk_ids: object) -> list[Any]:
        del user_id, chunk_ids
        return self._answer()

    def _answer(self) -> list[Any]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.found


@pytest.mark.parametrize("code", ["database_unreachable", "schema_outdated"])
def test_a_replica_that_is_away_is_left_alone_for_a_while(user: UserId, code: str) -> None:
    replica, index, time, hearing = Answering(OutageError(code)), Answering(), Time(), Hearing()
    search = ReplicatedSearchIndex(replica, index, time, hearing)  # type: ignore[arg-type]
    assert all(search.matching(user, "crowns", 5) is index.found for _ in range(3))
    assert (replica.asked, hearing.codes) == (1, [code])
    replica.error, time.passed = None, LEFT_ALONE_SECONDS
    assert search.matching(user, "crowns", 5) is replica.found


def test_a_search_that_the_replica_gave_up_is_made_in_the_database_and_the_next_on_the_replica(user: UserId) -> None:
    replica, index = Answering(ResourceError("database_failed", found="40001")), Answering()
    search = ReplicatedSearchIndex(replica, index, Time(), Hearing())  # type: ignore[arg-type]
    assert search.matching(user, "crowns", 5) is index.found
    replica.error = None
    assert search.matching(user, "crowns", 5) is replica.found


def test_a_search_that_is_too_slow_is_not_made_twice(user: UserId) -> None:
    replica, index = Answering(ResourceError("database_slow", seconds=30)), Answering()
    with pytest.raises(ResourceError, match="database_slow"):
        ReplicatedSearchIndex(replica, index, Time(), Hearing()).matching(user, "crowns", 5)  # type: ignore[arg-type]
    assert index.asked == 0


def test_what_was_found_is_shown_as_the_database_has_it_or_by_the_replica_while_that_is_away(
    user: UserId,
) -> None:
    replica, index, hearing = Answering(), Answering(), Hearing()
    search = ReplicatedSearchIndex(replica, index, Time(), hearing)  # type: ignore[arg-type]
    assert search.hits(user, []) is index.found
    index.error = OutageError("database_unreachable")
    assert search.hits(user, []) is replica.found
    assert hearing.codes == ["database_unreachable"]
