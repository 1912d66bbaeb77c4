"""Look after jobs at providers that keep them.

Ask for late bills and for what came of uploads that were not answered, and remove what nobody needs here any more.

What does not succeed has its next turn later. It never holds up documents, nor their deletion.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import TypeVar
from uuid import UUID

from ingest_assets.domain.errors import IngestError, PermanentError
from ingest_assets.domain.facts import ErrorPassedOver
from ingest_assets.domain.spending.costs import Usage
from ingest_assets.domain.spending.providers import ProviderName
from ingest_assets.domain.spending.remote_jobs import Bill, Leftover, Unheard
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.observing import Observer
from ingest_assets.pipeline.ports.providers import PaidCalls, RemoteKeeper, RemoteLeftovers

Task = TypeVar("Task", Bill, Unheard, Leftover)

AT_ONCE = 100
"""How many jobs of each kind one call looks after; the next call goes on."""
SECONDS = 300
"""For how long one call does each kind of work at a provider. What has begun then is ended."""
SHARE_A_LIST = timedelta(hours=1)
"""Requests that were made within this time are looked for in one list."""


@dataclass(frozen=True, slots=True)
class LookedAfter:
    billed: int
    """Of how many it is known for good what they cost."""
    removed: int
    waiting: int
    """How many have another turn."""


@dataclass(frozen=True)
class RemoteUpkeep:
    leftovers: RemoteLeftovers
    keepers: Mapping[ProviderName, RemoteKeeper]
    """By provider: those that can be asked."""
    calls: PaidCalls
    observer: Observer
    clock: Clock

    def is_due(self) -> bool:
        """Return whether there is anything to do now."""
        return bool(self.keepers) and self.leftovers.are_due(list(self.keepers))

    def look_after(self) -> LookedAfter:
        """Do what is due, as far as the providers answer.

        Each kind of work has a time of its own. A provider that fails is left alone with that kind until the next call,
        and what has to be looked for in its lists comes last, so that no failing list holds up anything else.
        """
        billed: list[bool] = []
        removed: list[bool] = []
        for provider, keeper in self.keepers.items():
            removed += self._each(_one_by_one(self.leftovers.to_remove, provider), partial(self._remove, keeper, {}))
            billed += self._each(_one_by_one(self.leftovers.bills, provider), partial(self._ask_for, keeper))
            lost = self.leftovers.to_look_for([provider], AT_ONCE)
            unheard = self.leftovers.unheard([provider], AT_ONCE)
            found = self._found(keeper, [*lost, *unheard])
            removed += self._each(lost, partial(self._remove, keeper, found))
            billed += self._each(unheard, partial(self._settle, keeper, found))
        return LookedAfter(billed.count(True), removed.count(True), (billed + removed).count(False))

    def _each(self, tasks: Iterable[Task], do: Callable[[Task], bool]) -> list[bool]:
        """Return of each job whether it is done with, until the time is over or the provider fails."""
        end = self.clock.seconds() + SECONDS
        done: list[bool] = []
        for task in tasks:
            try:
                done.append(do(task))
            except IngestError as error:
                self.observer.observe(ErrorPassedOver("looking after a job at a provider", error))
                done.append(False)
                if not _concerns_only_this_job(error):
                    break
            if self.clock.seconds() >= end:
                break
        return done

    def _ask_for(self, keeper: RemoteKeeper, bill: Bill) -> bool:
        """Return whether the bill is there, or will never be: then the estimate stays."""
        try:
            usage = keeper.bill(bill.remote_id)
        except IngestError as error:
            if error.code != "service_job_gone":
                raise
        else:
            if usage is None:
                return False
            self._book(bill.call_id, usage)
        self.leftovers.billed(bill.remote_id)
        return True

    def _found(self, keeper: RemoteKeeper, asked: Sequence[Leftover | Unheard]) -> Mapping[UUID, Sequence[str]]:
        """Return the ids of the jobs of each request, as far as the provider's lists can be read.

        A list that cannot be read says nothing about another, which may be shorter.
        """
        end = self.clock.seconds() + SECONDS
        found: dict[UUID, Sequence[str]] = {}
        for together in _sharing_a_list(asked):
            if self.clock.seconds() >= end:
                break
            try:
                found |= keeper.find({each.request_id: each.asked_at for each in together})
            except IngestError as error:
                self.observer.observe(ErrorPassedOver("looking for jobs at a provider", error))
        return found

    def _settle(self, keeper: RemoteKeeper, found: Mapping[UUID, Sequence[str]], unheard: Unheard) -> bool:
        """Return whether it is known what a request has cost: nothing if there is no job of it, or else its bills.

        A job that is found is left to its document.
        """
        remote_ids = found.get(unheard.request_id)
        if remote_ids is None or not self._book_all(keeper, remote_ids, unheard.call_id):
            return False
        self.leftovers.settled(unheard.request_id)
        return True

    def _remove(self, keeper: RemoteKeeper, found: Mapping[UUID, Sequence[str]], leftover: Leftover) -> bool:
        """Return whether the provider keeps nothing of the request any more."""
        remote_ids = found.get(leftover.request_id) if leftover.remote_id is None else [leftover.remote_id]
        if remote_ids is None or not (remote_ids or leftover.is_old):  # the provider may still be creating it
            return False
        self._book_all(keeper, remote_ids, leftover.call_id)
        for remote_id in remote_ids:
            keeper.remove(remote_id)
        self.leftovers.removed(leftover.request_id)
        return True

    def _book_all(self, keeper: RemoteKeeper, remote_ids: Sequence[str], call_id: int | None) -> bool:
        """Return whether it is known what all jobs of a request have cost, and book it: if there is none, nothing."""
        if call_id is None:
            return True
        if not remote_ids:
            self.calls.release(call_id)
            return True
        bills = [self._known_bill(keeper, remote_id) for remote_id in remote_ids]
        known = [bill for bill in bills if bill is not None]
        if len(known) < len(bills):
            return False
        self._book(
            call_id,
            Usage(credits=sum(each.credits for each in known), micro_usd=sum(each.micro_usd for each in known)),
        )
        return True

    def _known_bill(self, keeper: RemoteKeeper, remote_id: str) -> Usage | None:
        """Ask for the bill while the provider can still tell. Removing does not wait for it."""
        try:
            return keeper.bill(remote_id)
        except IngestError as error:
            if error.code != "service_job_gone":
                self.observer.observe(ErrorPassedOver("asking for a bill", error))
            return None

    def _book(self, call_id: int | None, usage: Usage) -> None:
        if call_id is not None:
            self.calls.bill(call_id, usage)


def _one_by_one(due: Callable[[Sequence[ProviderName], int], list[Task]], provider: ProviderName) -> Iterator[Task]:
    """Yield what is due, and take each only when its turn comes."""
    for _ in range(AT_ONCE):
        taken = due([provider], 1)
        if not taken:
            return
        yield taken[0]


def _sharing_a_list(asked: Sequence[Leftover | Unheard]) -> list[list[Leftover | Unheard]]:
    """Return the requests that share a list, the youngest first: of the others, more have been looked for in vain."""
    shared: list[list[Leftover | Unheard]] = []
    for each in sorted(asked, key=lambda request: request.asked_at, reverse=True):
        if not shared or shared[-1][0].asked_at - each.asked_at > SHARE_A_LIST:
            shared.append([])
        shared[-1].append(each)
    return shared


def _concerns_only_this_job(error: IngestError) -> bool:
    """Return whether other jobs may fare better: the provider refuses this one, or has yet to end it."""
    return isinstance(error, PermanentError) or error.status == HTTPStatus.CONFLICT
