"""Look after jobs at providers that keep them.

Ask for late bills and for what came of uploads that were not answered, and remove what nobody needs here any more.

What does not succeed has its next turn later. It never holds up documents, nor their deletion.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from ingest_assets.domain.errors import IngestError, PermanentError
from ingest_assets.domain.facts import ErrorPassedOver
from ingest_assets.domain.spending.costs import Usage
from ingest_assets.domain.spending.providers import ProviderName
from ingest_assets.domain.spending.remote_jobs import Bill, Leftover, Unheard
from ingest_assets.pipeline.ports.observing import Observer
from ingest_assets.pipeline.ports.providers import PaidCalls, RemoteKeeper, RemoteLeftovers

Task = TypeVar("Task", Bill, Unheard, Leftover)

AT_ONCE = 100
"""How many jobs of each kind one call looks after; the next call goes on."""


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

    def is_due(self) -> bool:
        """Return whether there is anything to do now."""
        return bool(self.keepers) and self.leftovers.are_due(list(self.keepers))

    def look_after(self) -> LookedAfter:
        """Do what is due, as far as the providers answer.

        Each job is taken when its turn comes. A provider that fails is left alone until the next call, with what is due
        there.
        """
        answering = set(self.keepers)
        billed = self._each(self.leftovers.bills, self._ask_for, answering)
        billed += self._each(self.leftovers.unheard, self._look_for, answering)
        removed = self._each(self.leftovers.to_remove, self._remove, answering)
        return LookedAfter(billed.count(True), removed.count(True), (billed + removed).count(False))

    def _each(
        self,
        due: Callable[[Sequence[ProviderName], int], list[Task]],
        do: Callable[[Task], bool],
        answering: set[ProviderName],
    ) -> list[bool]:
        """Return of each job whether it is done with."""
        done: list[bool] = []
        while answering and len(done) < AT_ONCE and (taken := due(sorted(answering), 1)):
            [task] = taken
            try:
                done.append(do(task))
            except IngestError as error:
                self.observer.observe(ErrorPassedOver("looking after a job at a provider", error))
                done.append(False)
                if not _concerns_only_this_job(error):
                    answering.discard(task.provider)
        return done

    def _ask_for(self, bill: Bill) -> bool:
        """Return whether the bill is there, or will never be: then the estimate stays."""
        try:
            usage = self.keepers[bill.provider].bill(bill.remote_id)
        except IngestError as error:
            if error.code != "service_job_gone":
                raise
        else:
            if usage is None:
                return False
            self._book(bill.call_id, usage)
        self.leftovers.billed(bill.remote_id)
        return True

    def _look_for(self, unheard: Unheard) -> bool:
        """Return whether it is known what a request has cost: nothing if there is no job of it, or else its bills.

        A job that is found is left to its document.
        """
        keeper = self.keepers[unheard.provider]
        remote_ids = keeper.find(unheard.request_id, unheard.asked_at)
        if not self._book_all(keeper, remote_ids, unheard.call_id):
            return False
        self.leftovers.settled(unheard.request_id)
        return True

    def _remove(self, leftover: Leftover) -> bool:
        """Return whether the provider keeps nothing of the request any more."""
        keeper = self.keepers[leftover.provider]
        if leftover.remote_id is None:
            remote_ids = keeper.find(leftover.request_id, leftover.asked_at)
            if not remote_ids and not leftover.is_old:  # the provider may still be creating it
                return False
        else:
            remote_ids = [leftover.remote_id]
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


def _concerns_only_this_job(error: IngestError) -> bool:
    """Return whether other jobs may fare better: the provider refuses this one, or has yet to end it."""
    return isinstance(error, PermanentError) or error.status == HTTPStatus.CONFLICT
