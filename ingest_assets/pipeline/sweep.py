"""Compare the object store with the database, both ways, and remove objects that are of no use.

Store and rows are read side by side in the order of their keys, so memory does not depend on how many there are. They
are read at different times, so whatever differs is looked at again before anything is removed or called missing.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby
from operator import itemgetter

from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.documents.stored_object import StoredObject
from ingest_assets.domain.documents.sweeping import (
    Findings,
    RecordedObjects,
    Surplus,
    SweepLimits,
    missing_of,
    surplus_of,
)
from ingest_assets.domain.errors import PermanentError
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.object_store import ObjectStore
from ingest_assets.pipeline.ports.sweeping import ObjectRecords
from ingest_assets.pipeline.store_ownership import StoreOwnership
from ingest_assets.pipeline.stored_objects import PROBES, owner_in

Owner = tuple[UserId, DocumentId]

NAMED_AT_MOST = 100
"""How many incomplete documents the findings name."""
HELD_AT_ONCE = 50
"""How many documents are held together; a user's intake waits meanwhile."""


@dataclass(frozen=True, slots=True)
class Removed:
    objects: int
    bytes: int


@dataclass(slots=True)
class Pair:
    """What is stored of one document, and what its row says."""

    owner: Owner
    objects: list[StoredObject] = field(default_factory=list)
    record: RecordedObjects | None = None


@dataclass(frozen=True)
class Sweep:
    objects: ObjectStore
    records: ObjectRecords
    clock: Clock
    limits: SweepLimits
    ownership: StoreOwnership

    def compare(self) -> Findings:
        """Return how the store and the database differ, and change nothing."""
        tally = _Tally()
        for pair in self._pairs(tally):
            surplus = surplus_of(pair.objects, pair.record, self.limits, self.clock.now())
            tally.add(surplus)
            if pair.record is not None and missing_of(pair.record, {each.key for each in pair.objects}):
                tally.add_missing(pair.owner[1], is_certain=self._is_incomplete(pair.owner[1]))
        return tally.findings()

    def remove_surplus(self) -> Removed:
        """Remove the objects that are of no use, and return how many there were.

        Raises:
            OutageError: store_mismatched.
            PermanentError: sweep_suspicious, if most of the store is of no use.
        """
        self.ownership.check()
        before = self.compare()
        if self.limits.is_suspicious(before):
            raise PermanentError("sweep_suspicious", found=before.surplus[Surplus.ORPHANED], objects=before.objects)
        removed = Counter[str]()
        tally = _Tally()
        some: list[Pair] = []
        for pair in self._pairs(tally):
            if not surplus_of(pair.objects, pair.record, self.limits, self.clock.now()):
                continue
            if some and (some[0].owner[0] != pair.owner[0] or len(some) == HELD_AT_ONCE):
                self._remove(some, removed)
                some = []
            some.append(pair)
        if some:
            self._remove(some, removed)
        for each in tally.probes:
            self._remove_one(each, removed)
        return Removed(removed["objects"], removed["bytes"])

    def _remove(self, pairs: Sequence[Pair], removed: Counter[str]) -> None:
        """Remove what is still of no use while nobody can name it: intake waits, and documents in work are left out."""
        with self.records.held(pairs[0].owner[0], [pair.owner[1] for pair in pairs]) as held:
            for pair in pairs:
                document_id = pair.owner[1]
                if document_id in held:
                    for each in surplus_of(pair.objects, held[document_id], self.limits, self.clock.now()):
                        held.assure()  # a slow store may have outlasted the lock
                        self._remove_one(each, removed)

    def _remove_one(self, found: StoredObject, removed: Counter[str]) -> None:
        if self.objects.remove(found):
            removed.update(objects=1, bytes=found.byte_size)

    def _pairs(self, tally: "_Tally") -> Iterator[Pair]:
        """Yield every document that has objects or a row, and tell the tally what belongs to none."""
        stored = ((owner, each, None) for owner, each in self._owned(tally))
        recorded = (((row.user_id, row.document_id), None, row) for row in self.records.by_owner())
        for owner, members in groupby(merge(stored, recorded, key=itemgetter(0)), key=itemgetter(0)):
            pair = Pair(owner)
            for _, each, row in members:
                if each is not None:
                    pair.objects.append(each)
                pair.record = row or pair.record
            yield pair

    def _owned(self, tally: "_Tally") -> Iterator[tuple[Owner, StoredObject]]:
        for each in self.objects.listed():
            tally.objects += 1
            owner = owner_in(each.key)
            if owner is not None:
                yield owner, each
            elif self._is_old_probe(each):
                tally.add_probe(each)
            elif not each.key.startswith(PROBES):
                tally.foreign += 1

    def _is_old_probe(self, each: StoredObject) -> bool:
        return each.key.startswith(PROBES) and self.clock.now() - each.written_at > self.limits.unnamed

    def _is_incomplete(self, document_id: DocumentId) -> bool:
        """Return whether a document still lacks an object: it may have been changed while the store was listed."""
        record = self.records.of_documents([document_id]).get(document_id)
        return record is not None and not all(map(self.objects.holds, record.required))


@dataclass(slots=True)
class _Tally:
    objects: int = 0
    foreign: int = 0
    surplus: Counter[Surplus] = field(default_factory=Counter)
    surplus_bytes: int = 0
    missing: int = 0
    incomplete: list[DocumentId] = field(default_factory=list)
    probes: list[StoredObject] = field(default_factory=list)

    def add(self, surplus: dict[StoredObject, Surplus]) -> None:
        self.surplus.update(surplus.values())
        self.surplus_bytes += sum(each.byte_size for each in surplus)

    def add_probe(self, each: StoredObject) -> None:
        self.probes.append(each)
        self.add({each: Surplus.ORPHANED})

    def add_missing(self, document_id: DocumentId, *, is_certain: bool) -> None:
        self.missing += is_certain
        if is_certain and len(self.incomplete) < NAMED_AT_MOST:
            self.incomplete.append(document_id)

    def findings(self) -> Findings:
        return Findings(
            objects=self.objects,
            surplus={kind: self.surplus[kind] for kind in Surplus},
            surplus_bytes=self.surplus_bytes,
            foreign=self.foreign,
            missing=self.missing,
            incomplete=tuple(self.incomplete),
        )
