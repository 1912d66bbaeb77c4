"""Look after jobs at providers that keep them: ask for late bills, and remove what nobody needs here any more.

What does not succeed has its next turn later. It never holds up documents, nor their deletion.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.facts import ErrorPassedOver
from ingest_assets.domain.spending.providers import ProviderName
from ingest_assets.domain.spending.remote_jobs import Bill, Leftover
from ingest_assets.pipeline.ports.observing import Observer
from ingest_assets.pipeline.ports.providers import PaidCalls, RemoteKeeper, RemoteRemains

AT_ONCE = 100
"""How many jobs of each kind one call looks after; the next call goes on."""


@dataclass(frozen=True, slots=True)
class LookedAfter:
    billed: int
    removed: int
    waiting: int
    """How many have another turn."""


@dataclass(frozen=True)
class RemoteUpkeep:
    remains: RemoteRemains
    keepers: Mapping[ProviderName, RemoteKeeper]
    """By provider: those that can be asked."""
    calls: PaidCalls
    observer: Observer

    def is_due(self) -> bool:
        """Return whether there is anything to do now."""
        return bool(self.keepers) and self.remains.are_due(list(self.keepers))

    def look_after(self) -> LookedAfter:
        """Do what is due, as far as the providers answer."""
        billed = [self._ask_for(bill) for bill in self.remains.bills(list(self.keepers), AT_ONCE)]
        removed = [self._remove(each) for each in self.remains.leftovers(list(self.keepers), AT_ONCE)]
        return LookedAfter(billed.count(True), removed.count(True), (billed + removed).count(False))

    def _ask_for(self, bill: Bill) -> bool:
        """Return whether the bill is there, or will never be: then the estimate stays."""
        try:
            if not self._book(bill.provider, bill.remote_id, bill.call_id):
                return False
        except IngestError as error:
            if error.code != "service_job_gone":
                self.observer.observe(ErrorPassedOver("asking for a bill", error))
                return False
        self.remains.billed(bill.remote_id)
        return True

    def _remove(self, leftover: Leftover) -> bool:
        """Return whether the provider keeps nothing of the job any more."""
        keeper = self.keepers[leftover.provider]
        try:
            remote_id = leftover.remote_id or keeper.find(leftover.request_id, leftover.asked_at)
            if remote_id is None:
                if not leftover.is_old:  # the provider may still be creating it
                    return False
            else:
                self._book_what_is_known(leftover, remote_id)
                keeper.remove(remote_id)
        except IngestError as error:
            self.observer.observe(ErrorPassedOver("removing a job at a provider", error))
            return False
        self.remains.removed(leftover.request_id)
        return True

    def _book_what_is_known(self, leftover: Leftover, remote_id: str) -> None:
        """Book the bill while the provider can still tell. Removing does not wait for it."""
        try:
            self._book(leftover.provider, remote_id, leftover.call_id)
        except IngestError as error:
            if error.code != "service_job_gone":
                raise

    def _book(self, provider: ProviderName, remote_id: str, call_id: int | None) -> bool:
        usage = self.keepers[provider].bill(remote_id)
        if usage is not None and call_id is not None:
            self.calls.bill(call_id, usage)
        return usage is not None
