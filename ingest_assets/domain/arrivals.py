"""What becomes of the files that come in: each is decided with what those before it have changed."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingest_assets.domain.documents import Acceptance, AcceptanceStatus, Arrival, DocumentId, JobId


@dataclass(slots=True, eq=False)
class KnownDocument:
    """A document of the user whose files come in, as it stands between two of them."""

    document_id: DocumentId
    job_id: JobId
    content_sha: str
    failure: str | None = None
    """The error code of a dead letter."""
    sources: int = 0
    """How many give it."""
    arriving: Sequence[str] = ()
    """Those among them that files come in from now."""


class Arrivals:
    """One user's documents, as far as the files that come in have to do with them."""

    def __init__(self, oldest_first: Iterable[KnownDocument]) -> None:
        self._by_source: dict[str, KnownDocument] = {}
        self._by_content: defaultdict[str, list[KnownDocument]] = defaultdict(list)
        for document in oldest_first:
            self._by_content[document.content_sha].append(document)
            self._by_source |= dict.fromkeys(document.arriving, document)

    def decide(self, arrival: Arrival, fresh: tuple[DocumentId, JobId]) -> Acceptance:
        """The same content is unchanged; other content from the same source is its document's next version, unless
        that has other sources too; a copy shares the oldest document; the rest make documents with `fresh` ids."""
        known = self._by_source.get(arrival.source)
        if known is not None and known.content_sha == arrival.content_sha:
            return _accepted(known, AcceptanceStatus.UNCHANGED)
        if known is not None and known.sources == 1:
            return self._replace(known, arrival.content_sha)
        if known is not None:
            known.sources -= 1
        same = self._by_content[arrival.content_sha]
        status = AcceptanceStatus.UNCHANGED if same else AcceptanceStatus.QUEUED
        if not same:
            same.append(KnownDocument(*fresh, arrival.content_sha))
        same[0].sources += 1
        self._by_source[arrival.source] = same[0]
        return _accepted(same[0], status)

    def _replace(self, known: KnownDocument, content_sha: str) -> Acceptance:
        self._by_content[known.content_sha].remove(known)
        self._by_content[content_sha].append(known)
        known.content_sha, known.failure = content_sha, None
        return _accepted(known, AcceptanceStatus.NEW_VERSION)


def agree(before: Sequence[Acceptance], now: Sequence[Acceptance]) -> bool:
    """Whether the bytes that were stored for what was decided `before` serve what is decided now."""
    return all(
        after.status is AcceptanceStatus.UNCHANGED
        or (after.status, after.document_id) == (earlier.status, earlier.document_id)
        for earlier, after in zip(before, now, strict=True)
    )


def _accepted(known: KnownDocument, status: AcceptanceStatus) -> Acceptance:
    failure = known.failure if status is AcceptanceStatus.UNCHANGED else None
    return Acceptance(known.document_id, known.job_id, status, failure)
