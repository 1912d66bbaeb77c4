"""Which documents failed in a drain run, as its page names them: ids, codes and commands."""

from dataclasses import dataclass, field, replace
from threading import Lock

import dagster as dg

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.errors.remedies import Remedy, command_for_document, remedy_of
from ingest_assets.domain.facts import DocumentFailed, DocumentFinished, Fact
from ingest_assets.domain.queue.jobs import SLOW_CODES
from ingest_assets.pipeline.drain import Drain
from ingest_assets.pipeline.ports.observing import Observer

MOST_NAMED = 100
COLUMNS = [dg.TableColumn(name) for name in ("document", "code", "attempt", "afterwards", "command")]


@dataclass
class FailedDocuments:
    """An observer that remembers the first documents that failed, and counts the others."""

    behind: Observer
    """Who observes the drain run otherwise."""
    _failures: dict[DocumentId, DocumentFailed] = field(default_factory=dict)
    """The last failure of each document that is named."""
    _all: set[DocumentId] = field(default_factory=set)
    _finished: set[DocumentId] = field(default_factory=set)
    """Those of them that became searchable later in the run."""
    _logged: set[DocumentId] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)
    """Documents fail in threads of their own."""

    def observe(self, fact: Fact) -> None:
        with self._lock:
            if isinstance(fact, DocumentFailed):
                self._note(fact)
            elif isinstance(fact, DocumentFinished) and fact.document_id in self._all:
                self._finished.add(fact.document_id)
        self.behind.observe(fact)

    def log_new(self, log: dg.DagsterLogManager) -> None:
        """Log each named document once, from the thread of the run: its page shows them while the run works."""
        with self._lock:
            new = [failure for key, failure in self._failures.items() if key not in self._logged]
            self._logged.update(failure.document_id for failure in new)
        for failure in new:
            command = _command_for(failure)
            log.warning("%s failed: %s. Command: %s", failure.document_id, failure.code, command)

    def metadata(self) -> dict[str, int | dg.TableMetadataValue]:
        """Return how many documents failed, and a table that names the first of them."""
        with self._lock:
            failures = list(self._failures.values())
            count = len(self._all)
        if not failures:
            return {}
        table = dg.MetadataValue.table([self._record(each) for each in failures], dg.TableSchema(COLUMNS))
        return {"failed_documents": count, "named": len(failures), "failures": table}

    def _note(self, failure: DocumentFailed) -> None:
        if failure.code in SLOW_CODES and remedy_of(failure.code) is Remedy.WAIT:
            return  # it has only been given back, for its turn among slow documents
        self._all.add(failure.document_id)
        self._finished.discard(failure.document_id)
        if failure.document_id in self._failures or len(self._failures) < MOST_NAMED:
            self._failures[failure.document_id] = failure

    def _record(self, failure: DocumentFailed) -> dg.TableRecord:
        finished = failure.document_id in self._finished
        return dg.TableRecord(
            {
                "document": str(failure.document_id),
                "code": failure.code,
                "attempt": failure.attempt,
                "afterwards": "searchable" if finished else "failed",
                "command": "" if finished else _command_for(failure),
            }
        )


def overheard(drain: Drain, observer: Observer) -> Drain:
    """Return the drain whose documents' ends this observer hears of."""
    failures = replace(drain.attempts.failures, observer=observer)
    return replace(drain, attempts=replace(drain.attempts, observer=observer, failures=failures))


def _command_for(failure: DocumentFailed) -> str:
    """Return the command that helps; if waiting does, the command that says for how long."""
    if remedy_of(failure.code) is Remedy.WAIT:
        return f"ingest explain {failure.document_id}"
    return command_for_document(failure.code, failure.document_id)
