"""Compare the partitions that Dagster shows with the outcomes that it has been told of."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import dagster as dg

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.integrity import (
    FAILURE_HIDDEN,
    SHOWN,
    SHOWN_UNFINISHED,
    SHOWN_UNKNOWN,
    Finding,
    Invariant,
)
from ingest_assets.domain.queue.stages import State
from ingest_assets.orchestration.assets import ASSETS
from ingest_assets.orchestration.assets.finalized_chunks import finalized_chunks
from ingest_assets.orchestration.jobs import ingest_document
from ingest_assets.orchestration.partitions import PARTITION_TAG, documents, documents_of
from ingest_assets.orchestration.workers import LIVE
from ingest_assets.pipeline.ports.checking import ToldOutcomes

PAGE = 5000

Disagreements = dict[Invariant, set[DocumentId]]


@dataclass(frozen=True, slots=True)
class _Shown:
    """What Dagster shows, by document."""

    materialized: set[DocumentId]
    failed: set[DocumentId]
    under_way: set[DocumentId] = field(default_factory=set)


@dataclass(frozen=True)
class ShownPartitions:
    """Compares Dagster's page with the queue's rows."""

    instance: dg.DagsterInstance
    told: ToldOutcomes
    patience: timedelta
    """How long Dagster may take to show what it was told."""

    def inspect(self) -> Iterator[Finding]:
        found = self._disagreements()
        if any(found.values()):  # what only moved while both sides were read does not disagree twice
            again = self._disagreements()
            found = {invariant: ids & again[invariant] for invariant, ids in found.items()}
        for invariant, ids in found.items():
            if ids:
                yield Finding(invariant, len(ids), tuple(sorted(ids)[:SHOWN]))

    def _disagreements(self) -> Disagreements:
        shown = self._shown()
        done = set(self._told(State.DONE))
        dead = set(self._told(State.DEADLETTER))
        return {
            SHOWN_UNFINISHED: done - shown.materialized - shown.under_way,
            SHOWN_UNKNOWN: self._unknown(shown.materialized),
            FAILURE_HIDDEN: dead - shown.failed - shown.under_way,
        }

    def _shown(self) -> _Shown:
        keys = self.instance.get_dynamic_partitions(str(documents.name))
        shown = _Shown(set(), set(), set(documents_of(self._keys_under_way())))
        for asset in ASSETS:
            statuses = self.instance.get_status_by_partition(asset.key, keys, documents) or {}
            named = {key: status.value for key, status in statuses.items() if status is not None}
            shown.failed.update(documents_of(key for key, status in named.items() if status == "FAILED"))
            shown.under_way.update(documents_of(key for key, status in named.items() if status == "IN_PROGRESS"))
            if asset is finalized_chunks:
                shown.materialized.update(
                    documents_of(key for key, status in named.items() if status == "MATERIALIZED")
                )
        return shown

    def _keys_under_way(self) -> Iterator[str]:
        runs = self.instance.get_runs(dg.RunsFilter(job_name=ingest_document.name, statuses=LIVE))
        yield from (run.tags[PARTITION_TAG] for run in runs if PARTITION_TAG in run.tags)

    def _told(self, state: State) -> Iterator[DocumentId]:
        after: DocumentId | None = None
        while page := self.told.told(state, self.patience, after, PAGE):
            yield from page
            after = page[-1]

    def _unknown(self, materialized: set[DocumentId]) -> set[DocumentId]:
        ids, found = sorted(materialized), set[DocumentId]()
        for start in range(0, len(ids), PAGE):
            found |= self.told.unknown(ids[start : start + PAGE])
        return found
