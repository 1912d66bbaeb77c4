"""Decide which stored objects are of no use any more: those that no row names, once they are old enough."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.documents.stored_object import StoredObject


class Surplus(StrEnum):
    """Why an object is of no use."""

    ORPHANED = "orphaned"
    """Its document does not exist: an intake failed, or its worker did not notice that the document was deleted."""
    UNFINISHED = "unfinished"
    """Its writer was killed."""
    REPLACED = "replaced"
    """It belongs to an earlier version of its document."""


@dataclass(frozen=True, slots=True)
class SweepLimits:
    unnamed: timedelta = timedelta(hours=24)
    """How old an orphaned or unfinished object must be: whoever wrote it may still be about to write its row."""
    replaced: timedelta = timedelta(days=7)
    """How long ago an object must have been replaced."""
    orphans: int = 100
    """How many orphaned objects are plausible although they are most of the store."""

    def is_suspicious(self, findings: "Findings") -> bool:
        """Return whether the store is likelier to be another database's than to hold so much of no use."""
        orphaned = findings.surplus[Surplus.ORPHANED]
        return orphaned > self.orphans and 2 * orphaned > findings.objects


@dataclass(frozen=True, slots=True)
class RecordedObjects:
    """What the row of a document says of its objects."""

    user_id: UserId
    document_id: DocumentId
    required: frozenset[str]
    """The keys without which the newest version cannot be processed again."""
    named: frozenset[str]
    """All keys that the row names, including a text that the next parse replaces."""
    is_superseded: bool
    """Whether searches still find an earlier version, whose objects then stay."""
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Findings:
    """How the object store and the database differ."""

    objects: int
    """How many objects there are."""
    surplus: Mapping[Surplus, int]
    """How many objects are of no use."""
    surplus_bytes: int
    foreign: int
    """How many objects this system has not stored; they stay."""
    missing: int
    """How many documents lack an object that they need."""
    incomplete: tuple[DocumentId, ...]
    """The first of these documents."""

    @property
    def agrees(self) -> bool:
        """Return whether nothing is missing and nothing is of no use."""
        return not self.missing and not any(self.surplus.values())


def surplus_of(
    objects: Sequence[StoredObject], record: RecordedObjects | None, limits: SweepLimits, now: datetime
) -> dict[StoredObject, Surplus]:
    """Return those objects of one document that are of no use.

    Args:
        objects: Everything that is stored of the document.
        record: What its row says; None if it has none.
        limits: How long objects stay that no row names.
        now: The current time.
    """
    found = {}
    for each in objects:
        if record is not None and each.key in record.named:
            continue
        if record is None or not each.whole:
            if now - each.written_at > limits.unnamed:
                found[each] = Surplus.ORPHANED if each.whole else Surplus.UNFINISHED
        elif not record.is_superseded and now - replaced_at(each, objects, record) > limits.replaced:
            found[each] = Surplus.REPLACED
    return found


def replaced_at(replaced: StoredObject, objects: Iterable[StoredObject], record: RecordedObjects) -> datetime:
    """Return when an object was replaced: when the next one of its kind was written, or when its row changed last."""
    later = [
        each.written_at
        for each in objects
        if each.whole and _kind(each) == _kind(replaced) and each.written_at > replaced.written_at
    ]
    return min(later, default=max(replaced.written_at, record.changed_at))


def missing_of(record: RecordedObjects, keys: Collection[str]) -> frozenset[str]:
    """Return the keys of the objects that a document needs and that are not among these."""
    return record.required.difference(keys)


def _kind(each: StoredObject) -> str:
    """Return what distinguishes texts from files as they came in."""
    return each.key.rpartition("/")[2].partition(".")[2]
