"""Decide what becomes of each incoming file, given what the files before it have changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingest_assets.domain.documents.document import Acceptance, AcceptanceStatus, Arrival, DocumentId, JobId
from ingest_assets.domain.errors.remedies import Remedy, remedy_of


@dataclass(slots=True, eq=False)
class KnownDocument:
    """A document of the user who hands in files, as it stands between two of them."""

    document_id: DocumentId
    job_id: JobId
    content_sha: str
    failure: str | None = None
    """The error code, if the document is a dead letter."""
    sources: int = 0
    """How many sources the document has."""
    arriving: Sequence[str] = ()
    """Those of its sources that hand in a file now."""


class Arrivals:
    """One user's documents, as far as the incoming files concern them."""

    def __init__(self, oldest_first: Iterable[KnownDocument]) -> None:
        self._oldest_first = list(oldest_first)
        self._by_source = {source: document for document in self._oldest_first for source in document.arriving}

    def decide(self, arrival: Arrival, fresh: tuple[DocumentId, JobId]) -> Acceptance:
        """Decide what becomes of a file.

        The same content is unchanged, unless the stored bytes are gone; then it is stored as the next version. Other
        content from the same source is the next version of its document, unless the document has other sources too. A
        copy shares the oldest document with that content. Anything else becomes a new document with the `fresh` ids.
        """
        known = self._by_source.get(arrival.source)
        if known is not None and known.content_sha == arrival.content_sha:
            return _accepted_again(known)
        if known is not None and known.sources == 1:
            known.content_sha, known.failure = arrival.content_sha, None
            return _accepted(known, AcceptanceStatus.NEW_VERSION)
        if known is not None:
            known.sources -= 1
        same = next((each for each in self._oldest_first if each.content_sha == arrival.content_sha), None)
        is_new = same is None
        if same is None:
            same = KnownDocument(*fresh, arrival.content_sha)
            self._oldest_first.append(same)
        same.sources += 1
        self._by_source[arrival.source] = same
        return _accepted(same, AcceptanceStatus.QUEUED) if is_new else _accepted_again(same)


def agree(before: Sequence[Acceptance], now: Sequence[Acceptance]) -> bool:
    """Return whether the bytes stored for the decisions `before` also serve the decisions of `now`."""
    return all(
        after.status is AcceptanceStatus.UNCHANGED
        or (after.status, after.document_id) == (earlier.status, earlier.document_id)
        for earlier, after in zip(before, now, strict=True)
    )


def _accepted_again(known: KnownDocument) -> Acceptance:
    """Accept the content that the document has already."""
    if remedy_of(known.failure) is not Remedy.RESUBMIT:
        return _accepted(known, AcceptanceStatus.UNCHANGED)
    known.failure = None
    return _accepted(known, AcceptanceStatus.NEW_VERSION)


def _accepted(known: KnownDocument, status: AcceptanceStatus) -> Acceptance:
    return Acceptance(known.document_id, known.job_id, status, known.failure)
