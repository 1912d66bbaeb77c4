"""The order and the time in which jobs at providers are looked after, with a provider and a clock in memory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from ingest_assets.adapters.clock import SystemClock
from ingest_assets.domain.errors import IngestError, ResourceError, TransientError
from ingest_assets.domain.facts import Fact
from ingest_assets.domain.spending.costs import Usage
from ingest_assets.domain.spending.providers import ProviderName
from ingest_assets.domain.spending.remote_jobs import Bill, Leftover, Unheard
from ingest_assets.pipeline.remote_upkeep import AT_ONCE, SECONDS, SHARE_A_LIST, LookedAfter, RemoteUpkeep

PROVIDER = ProviderName("a-provider")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
UNAVAILABLE = TransientError("service_unavailable", name="The provider")
TOO_LONG = TransientError("timeout", seconds=600)


@dataclass
class WorkedClock(SystemClock):
    """A monotonic clock that only the provider's work moves."""

    at: float = 0

    def seconds(self) -> float:
        return self.at


@dataclass
class Due:
    """Everything that is due, which is taken once."""

    known: list[Leftover] = field(default_factory=list)
    lost: list[Leftover] = field(default_factory=list)
    owed: list[Bill] = field(default_factory=list)
    silent: list[Unheard] = field(default_factory=list)

    def are_due(self, providers: Sequence[ProviderName]) -> bool:
        return bool(providers and (self.known or self.lost or self.owed or self.silent))

    def bills(self, providers: Sequence[ProviderName], limit: int) -> list[Bill]:  # noqa: ARG002  there is only one
        return _taken(self.owed, limit)

    def unheard(self, providers: Sequence[ProviderName], limit: int) -> list[Unheard]:  # noqa: ARG002
        return _taken(self.silent, limit)

    def to_remove(self, providers: Sequence[ProviderName], limit: int) -> list[Leftover]:  # noqa: ARG002
        return _taken(self.known, limit)

    def to_look_for(self, providers: Sequence[ProviderName], limit: int) -> list[Leftover]:  # noqa: ARG002
        return _taken(self.lost, limit)

    def billed(self, remote_id: str) -> None:
        """Nobody asks."""

    def settled(self, request_id: UUID) -> None:
        """Nobody asks."""

    def removed(self, request_id: UUID) -> None:
        """Nobody asks."""


def _taken(due: list[Any], limit: int) -> list[Any]:
    taken = due[:limit]
    del due[:limit]
    return taken


@dataclass
class Keeper:
    """A provider whose every answer takes as long, and that fails as it is told to."""

    clock: WorkedClock
    takes: float = 0
    fails: Callable[[str, object], IngestError | None] = lambda _operation, _asked: None
    did: list[str] = field(default_factory=list)

    def bill(self, remote_id: str) -> Usage | None:
        self._work("bill", remote_id)
        return Usage(credits=3)

    def find(self, asked: Mapping[UUID, datetime]) -> Mapping[UUID, Sequence[str]]:
        self._work("find", asked)
        return {request_id: ["found"] for request_id in asked}

    def remove(self, remote_id: str) -> None:
        self._work("remove", remote_id)

    def _work(self, operation: str, asked: object) -> None:
        self.did.append(operation)
        self.clock.at += self.takes
        if failure := self.fails(operation, asked):
            raise failure


class Calls:
    def bill(self, call_id: int, usage: Usage) -> None:
        """Nobody asks."""

    def release(self, call_id: int) -> None:
        """Nobody asks."""


@dataclass
class Observed:
    facts: list[Fact] = field(default_factory=list)

    def observe(self, fact: Fact) -> None:
        self.facts.append(fact)


@pytest.fixture
def due() -> Due:
    return Due()


@pytest.fixture
def keeper() -> Keeper:
    return Keeper(WorkedClock())


@pytest.fixture
def upkeep(due: Due, keeper: Keeper) -> RemoteUpkeep:
    calls: Any = Calls()
    return RemoteUpkeep(due, {PROVIDER: keeper}, calls, Observed(), keeper.clock)


def leftover(remote_id: str | None, asked_at: datetime = NOW) -> Leftover:
    return Leftover(PROVIDER, uuid4(), asked_at, remote_id, None, is_old=True)


def unheard(asked_at: datetime = NOW) -> Unheard:
    return Unheard(PROVIDER, uuid4(), asked_at, None)


def bill() -> Bill:
    return Bill(PROVIDER, "a job", None)


def test_what_is_left_over_is_removed_before_anything_is_asked_and_lists_are_read_last(
    due: Due, keeper: Keeper, upkeep: RemoteUpkeep
) -> None:
    due.known, due.lost, due.owed, due.silent = [leftover("a job")], [leftover(None)], [bill()], [unheard()]
    assert upkeep.look_after() == LookedAfter(billed=2, removed=2, waiting=0)
    assert keeper.did == ["remove", "bill", "find", "remove"]


@pytest.mark.parametrize("failing", ["remove", "bill", "find"])
def test_a_provider_that_fails_at_one_kind_of_work_is_left_alone_with_that_kind_only(
    due: Due, keeper: Keeper, upkeep: RemoteUpkeep, failing: str
) -> None:
    due.known, due.owed, due.silent = [leftover("a job")] * 2, [bill()] * 2, [unheard()] * 2
    keeper.fails = lambda operation, _: UNAVAILABLE if operation == failing else None
    upkeep.look_after()
    expected = {"remove": 2, "bill": 2, "find": 1} | {failing: 1}
    assert {operation: keeper.did.count(operation) for operation in expected} == expected


def test_a_provider_that_refuses_one_job_is_asked_about_the_next(
    due: Due, keeper: Keeper, upkeep: RemoteUpkeep
) -> None:
    conflict = ResourceError("service_unknown_address", name="The provider")
    conflict.status = 409
    due.known = [leftover("a job"), leftover("another")]
    keeper.fails = lambda _, asked: conflict if asked == "a job" else None
    assert upkeep.look_after() == LookedAfter(billed=0, removed=1, waiting=1)


def test_a_list_that_is_too_long_to_be_read_does_not_keep_another_from_being_read(
    due: Due, keeper: Keeper, upkeep: RemoteUpkeep
) -> None:
    young, old = unheard(), unheard(NOW - 3 * SHARE_A_LIST)
    for too_long in (young, old):
        due.silent = [young, old]
        keeper.fails = lambda _, asked, each=too_long: TOO_LONG if each.request_id in asked else None  # type: ignore[misc]
        assert upkeep.look_after() == LookedAfter(billed=1, removed=0, waiting=1)


def test_requests_of_one_hour_share_a_list_whatever_becomes_of_their_documents(
    due: Due, keeper: Keeper, upkeep: RemoteUpkeep
) -> None:
    minutes = [timedelta(minutes=each) for each in (0, 20, 40, 60)]
    due.silent = [unheard(NOW + each) for each in minutes]
    due.lost = [leftover(None, NOW + each) for each in minutes]
    assert upkeep.look_after() == LookedAfter(billed=4, removed=4, waiting=0)
    assert keeper.did.count("find") == 1


def test_each_kind_of_work_has_an_end_and_what_is_left_is_done_by_the_next_call(
    due: Due, keeper: Keeper, upkeep: RemoteUpkeep
) -> None:
    due.known, due.owed, due.silent = (
        [leftover("a job")] * 9,
        [bill()] * 9,
        [unheard(NOW - each * 2 * SHARE_A_LIST) for each in range(9)],
    )
    keeper.takes = SECONDS / 2
    upkeep.look_after()
    assert keeper.did == ["remove"] * 2 + ["bill"] * 2 + ["find"] * 2
    assert (len(due.known), len(due.owed)) == (7, 7)


def test_one_call_does_so_much_of_each_kind(due: Due, keeper: Keeper, upkeep: RemoteUpkeep) -> None:
    due.known, due.owed = [leftover("a job")] * (AT_ONCE + 1), [bill()] * (AT_ONCE + 1)
    assert upkeep.look_after() == LookedAfter(billed=AT_ONCE, removed=AT_ONCE, waiting=0)
    assert len(keeper.did) == 2 * AT_ONCE
