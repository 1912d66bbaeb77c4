"""Check everything that must hold, in every place that a deployment keeps something."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256

from ingest_assets.domain.documents.document import Document, DocumentId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.integrity import (
    CONTENT_UNREADABLE,
    SHOWN,
    SURPLUS_NOT_SWEPT,
    TEXT_UNREADABLE,
    Finding,
    Invariant,
)
from ingest_assets.pipeline.concurrency import as_they_come
from ingest_assets.pipeline.ports.checking import Inspection, StoredDocuments
from ingest_assets.pipeline.ports.object_store import ObjectStore
from ingest_assets.pipeline.ports.reading import Documents
from ingest_assets.pipeline.stored_objects import content_key, parse_key
from ingest_assets.pipeline.sweep import Sweep

PAGE = 1000
READ_AT_ONCE = 4
SWEEPS = timedelta(days=2)
"""How long objects of no use may wait for the daily sweep."""


@dataclass(frozen=True)
class Integrity:
    """Every place with what looks into it."""

    inspections: Sequence[Inspection]

    def findings(self) -> Iterator[Finding]:
        """Yield what is wrong; a healthy deployment has no finding, whatever its workers do meanwhile."""
        for inspection in self.inspections:
            yield from inspection.inspect()


@dataclass(slots=True)
class _Tally:
    """The breaches of one invariant so far."""

    invariant: Invariant
    count: int = 0
    document_ids: list[DocumentId] = field(default_factory=list)

    def add(self, document_id: DocumentId) -> None:
        self.count += 1
        if self.count <= SHOWN:
            self.document_ids.append(document_id)

    def finding(self) -> Finding:
        return Finding(self.invariant, self.count, tuple(self.document_ids))


@dataclass(frozen=True)
class StoredBytes:
    """Reads the stored bytes of each document, as rows tell of them."""

    stored: StoredDocuments
    documents: Documents
    objects: ObjectStore

    def inspect(self) -> Iterator[Finding]:
        tallies = {invariant: _Tally(invariant) for invariant in (CONTENT_UNREADABLE, TEXT_UNREADABLE)}
        for document, broken in as_they_come(self._broken, self._all(), READ_AT_ONCE):
            if broken and (now := self.documents.find(document.document_id)) is not None:
                for invariant in self._broken(now)[1]:  # a newer version may have come meanwhile
                    tallies[invariant].add(document.document_id)
        yield from (tally.finding() for tally in tallies.values() if tally.count)

    def _all(self) -> Iterator[Document]:
        after: DocumentId | None = None
        while page := self.stored.page(after, PAGE):
            yield from page
            after = page[-1].document_id

    def _broken(self, document: Document) -> tuple[Document, list[Invariant]]:
        broken = [] if self._is_intact(content_key(document), document.content_sha) else [CONTENT_UNREADABLE]
        parse = document.parse
        if parse is not None and not self._is_intact(parse_key(document, parse.parsed_sha), parse.parsed_sha):
            broken.append(TEXT_UNREADABLE)
        return document, broken

    def _is_intact(self, key: str, sha: str) -> bool:
        try:
            return sha256(self.objects.get(key)).hexdigest() == sha
        except PermanentError:
            return False


@dataclass(frozen=True)
class SweptStore:
    """Looks for objects that the sweep should have removed."""

    sweep: Sweep

    def inspect(self) -> Iterator[Finding]:
        limits = self.sweep.limits
        late = replace(limits, unnamed=limits.unnamed + SWEEPS, replaced=limits.replaced + SWEEPS)
        surplus = sum(replace(self.sweep, limits=late).compare().surplus.values())
        if surplus:
            yield Finding(SURPLUS_NOT_SWEPT, surplus)
