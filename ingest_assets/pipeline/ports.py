"""What the pipeline needs of the world. Adapters provide it; conformance suites in the tests say how it must behave."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol

from ingest_assets.domain.costs import Service, Usage
from ingest_assets.domain.documents import (
    Acceptance,
    Arrival,
    Chunk,
    ChunkId,
    Document,
    DocumentId,
    EmbeddedBatch,
    ParsedDocument,
    Producer,
    StoredParse,
    UserId,
    Vectors,
)
from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.file_states import KnownFile
from ingest_assets.domain.index_policy import IndexAction, IndexState
from ingest_assets.domain.jobs import Actor, Event, FailedDocument, Job, JobStatus, Outcome, Payload
from ingest_assets.domain.outdated import OutdatedDocument
from ingest_assets.domain.remote_jobs import RemoteJob
from ingest_assets.domain.retention import ListedDocuments
from ingest_assets.domain.retry_policy import Decision
from ingest_assets.domain.search import Hit, VectorSample
from ingest_assets.domain.stages import Stage, State


class Clock(Protocol):
    def now(self) -> datetime: ...

    def seconds(self) -> float:
        """Of a monotonic clock: for durations only."""


class Parser(Protocol):
    def producer_of(self, media_type: str) -> Producer:
        """Which tool this parser would use; what another one made in its place is outdated."""

    def parse(self, content: bytes, document: Document) -> ParsedDocument:
        """Raises an IngestError of the parsing part of the catalogue, and nothing else for bad content."""


class Embedder(Protocol):
    @property
    def model(self) -> Producer: ...

    @property
    def max_inputs(self) -> int:
        """Texts in one call."""

    @property
    def max_tokens(self) -> int:
        """Tokens in one call."""

    @property
    def max_in_flight(self) -> int:
        """Calls at the same time, for one document."""

    @property
    def costs_nothing(self) -> bool:
        """Whether making a vector again is cheaper than keeping it from loss."""

    def count_tokens(self, text: str) -> int: ...

    def embed(self, texts: Sequence[str], document: Document) -> Vectors:
        """One row per text, in order; finite and not zero. What it costs is booked on the document."""

    def embed_query(self, query: str, user_id: UserId) -> Vectors:
        """Shape (VECTOR_DIMENSIONS,)."""


class PaidCall(Protocol):
    def settle(self, usage: Usage) -> None:
        """What the call really used; without it, a call that ends well is taken to have used its estimate."""


class PaidCalls(Protocol):
    """The gate before every call that costs money: breaker, rate limits and budgets before it, the ledger after it."""

    def begin(
        self, service: Service, estimate: Usage, user_id: UserId, document_id: DocumentId | None
    ) -> AbstractContextManager[PaidCall]:
        """Waits for the rate limit. Raises ResourceError breaker_open, budget_spent, service_rate_limited before
        anything is spent.

        An exception that leaves the block counts as the call's failure and gives the reservation back.
        """


class RemoteJobs(Protocol):
    """What a parsing service is working on for us, by content and parser: paid once, fetched by whoever comes back."""

    def prepare(self, document: Document, producer: Producer) -> str:
        """Makes room for a new job; the secret by which the service's callback names it.

        Raises ResourceError claim_lost where the document is gone.
        """

    def remember(self, document: Document, producer: Producer, remote_id: str) -> None:
        """The service has accepted the prepared job. Raises ResourceError claim_lost where the document is gone."""

    def recall(self, document: Document, producer: Producer) -> RemoteJob | None:
        """The job that the service has accepted."""

    def book(self, document: Document, producer: Producer, remote_id: str) -> None:
        """Notes that the ledger holds what the job costs; nothing happens where it is forgotten."""

    def forget(self, document: Document, producer: Producer) -> None:
        """The job is of no use any more."""

    def completed(self, remote_id: str) -> bool:
        """Whether the service has called back."""


class ObjectStore(Protocol):
    """Bytes by key; a key's content is written whole or not at all."""

    def put(self, key: str, content: bytes) -> None:
        """Raises ResourceError storage_full, TransientError storage_failed."""

    def get(self, key: str) -> bytes:
        """Raises PermanentError content_missing, TransientError storage_failed."""

    def delete_below(self, prefix: str) -> int:
        """Removes every object whose key begins with the folder `prefix`; how many there were."""

    def count_below(self, prefix: str) -> int:
        """How many objects have a key that begins with the folder `prefix`, half-written ones included."""


class FileSystem(Protocol):
    def is_gone(self, path: str) -> bool:
        """Whether there certainly is no such file; what cannot be looked at may be there."""

    def device_at(self, path: str) -> int:
        """The file system on which a file at this path lies, or would lie."""


class Jobs(Protocol):
    """The queue. Every change is conditional on the claim and leaves an event in the same transaction."""

    def claim(self, claim: str, limit: int, lease: timedelta, *, retries_only: bool = False) -> list[Job]:
        """Up to `limit` queued or due jobs, passing over what others hold; to be worked on in this order.

        One of each user in turn, and the turn goes on with the next claim; each user's by priority, then oldest first.
        """

    def take(self, document_id: DocumentId, claim: str, lease: timedelta, stage: Stage) -> Job:
        """This document's job, whatever became of it, so that `stage` can be entered.

        Raises PermanentError unknown_document and upstream_missing, ResourceError claimed_elsewhere.
        """

    def hold(self, document_id: DocumentId, claim: str, lease: timedelta) -> Job | None:
        """The job if `claim` holds it, its lease renewed."""

    def renew(self, claim: str, lease: timedelta) -> int:
        """Renews every lease of `claim`; how many it holds."""

    def advance(self, job: Job, *stages: Stage) -> None:
        """Raises ResourceError claim_lost."""

    def settle(self, job: Job, decision: Decision, error: IngestError, *, reported: bool) -> None:
        """Gives a failed job up to what `decision` says; nothing happens where the claim is lost."""

    def release(self, claim: str, document_id: DocumentId | None = None) -> int:
        """Gives unfinished jobs of `claim` back to the queue; how many there were."""

    def reclaim(self, worst: int, actor: Actor) -> int:
        """Takes back every expired lease; a document whose worker died `worst` times becomes a dead letter."""

    def replay(self, document_ids: Sequence[DocumentId], actor: Actor) -> list[DocumentId]:
        """Queues those that are dead letters or wait for a retry."""

    def refresh(self, document_ids: Sequence[DocumentId], actor: Actor) -> list[DocumentId]:
        """Queues those that are finished again."""

    def waiting(self, limit: int) -> int:
        """How many jobs could be claimed now, counted up to `limit`."""

    def holders(self) -> set[str]:
        """The claims of workers that live: those with a lease that has not expired."""

    def unfinished(self) -> bool:
        """Whether a job is queued, worked on, or waiting for a retry."""

    def states(self, document_ids: Sequence[DocumentId]) -> dict[State, int]:
        """How many of these documents' jobs are in each state."""

    def unreported(self, limit: int) -> AbstractContextManager[list[Outcome]]:
        """Finished jobs that Dagster has not been told of; marked as reported where the block ends well."""

    def report_dead_letters(self, limit: int) -> list[DocumentId]:
        """Dead letters that Dagster has not been told of; marked as reported."""


class Partitions(Protocol):
    """Which documents Dagster lists, each a partition."""

    def listed(self) -> ListedDocuments: ...

    def oldest(self, limit: int) -> AbstractContextManager[list[DocumentId]]:
        """Listed finished documents, first finished first; no longer listed where the block ends well."""

    def deleted(self, limit: int) -> AbstractContextManager[list[DocumentId]]:
        """Deleted documents that may be listed; no longer listed where the block ends well."""


class SeenDocuments(Protocol):
    """Documents as somebody may see them: a user only its own."""

    def find(self, document_id: DocumentId) -> Document | None: ...

    def sources(self, document_id: DocumentId) -> list[str]: ...

    def status(self, document_id: DocumentId) -> JobStatus | None: ...

    def history(self, document_id: DocumentId) -> list[Event]:
        """Also of a document that is gone."""

    def counts(self) -> dict[str, int]:
        """`documents`, `searchable`, `dead_letters`."""

    def by_stage_and_state(self) -> dict[str, int]:
        """How many jobs there are, by "stage/state"."""

    def failed(self) -> list[FailedDocument]: ...


class Documents(SeenDocuments, Protocol):
    """Documents and their history. What a write returns is its event's payload, with the step's seconds in it."""

    def locate(self, arrivals: Sequence[Arrival]) -> list[Acceptance]:
        """What accepting these, of one user and in this order, would do; ids are fresh where one makes a document."""

    def accept(
        self, arrivals: Sequence[Arrival], located: Sequence[Acceptance], actor: Actor
    ) -> list[Acceptance] | None:
        """Takes in what is stored where it was `located`, all at once; None, and nothing done, where that is no
        longer its place."""

    def known_files(self, user_id: UserId, paths: Sequence[str]) -> dict[str, KnownFile]:
        """By path: those that have been taken in before."""

    def remember_files(self, user_id: UserId, files: Mapping[str, KnownFile]) -> None:
        """Keeps the sightings for later; of files that are not known any more, nothing."""

    def intake_paused(self, user_id: UserId) -> AbstractContextManager[None]:
        """While the block runs, nothing of this user is taken in."""

    def files_below(self, user_id: UserId, folder: str) -> dict[str, int]:
        """The paths below `folder` from which the user's documents came, and the file systems on which they lay."""

    def remove_source(self, user_id: UserId, source: str) -> None: ...

    def stored_parse(self, document: Document) -> StoredParse | None:
        """The newest parse of this content, where there is one."""

    def save_parse(self, job: Job, parse: StoredParse, payload: Payload) -> Payload:
        """With stages parsed and parse_validated. Raises ResourceError claim_lost."""

    def outdated(
        self, parser_of: Callable[[str], Producer], chunker: Producer, model: Producer
    ) -> list[OutdatedDocument]:
        """Finished documents whose results other tools have made than these; parsers by media type."""


class Deletions(Protocol):
    """Documents that leave, and what may be left of them."""

    def owner(self, document_id: DocumentId) -> UserId | None:
        """Whose the document is, or was before it was deleted; None where there never was one."""

    def delete(self, document_id: DocumentId, actor: Actor) -> None:
        """Removes every row of the document but its events, and what names it at a service from the ledger.

        A note of it is kept. Doing it again does no harm, and removes what came in meanwhile.
        """

    def traces(self, document_id: DocumentId) -> dict[str, int]:
        """By table: how many rows still hold more of the document than its ids."""

    def confirm(self, document_id: DocumentId) -> None:
        """A scan has found nothing of the document."""

    def to_finish(self, limit: int) -> list[DocumentId]:
        """Deleted documents without a scan that found nothing, or with none since a day after; first deleted first."""


class ChunkBuffer(Protocol):
    def save(self, job: Job, chunks: Sequence[Chunk], chunker: Producer, payload: Payload) -> Payload:
        """Replaces what was there, with stage chunks_buffered. Raises ResourceError claim_lost."""

    def load(self, document_id: DocumentId) -> list[Chunk]:
        """In order; the committed chunks where the buffer has been emptied."""


class VectorBuffer(Protocol):
    def reuse(self, job: Job, chunk_shas: Sequence[str], model: Producer) -> set[str]:
        """Buffers the vectors of these that the user already paid for; which of them need no embedding any more.

        Raises ResourceError claim_lost.
        """

    def append(self, job: Job, batch: EmbeddedBatch) -> None:
        """Commits one batch. Raises ResourceError claim_lost."""

    def complete(self, job: Job, payload: Payload) -> Payload:
        """Notes what embedding took. Raises ResourceError claim_lost."""

    def present(self, document_id: DocumentId, model: Producer) -> set[str]:
        """The chunk hashes that have a vector of this model, in the buffer or committed."""


class CommittedChunks(Protocol):
    def swap(
        self,
        job: Job,
        model: Producer,
        expected: int,
        payload: Payload,
        *,
        fresh: EmbeddedBatch | None,
        reported: bool,
    ) -> Payload:
        """Makes the buffers, with the `fresh` vectors that they do not hold, the searchable version, and the job
        embedded/done, in one short transaction.

        Raises ResourceError claim_lost; PermanentError upstream_missing where that gives other than `expected` chunks.
        """


class SearchIndex(Protocol):
    def nearest(self, user_id: UserId, vector: Vectors, model: Producer, limit: int) -> list[ChunkId]: ...

    def matching(self, user_id: UserId, query_text: str, limit: int) -> list[ChunkId]:
        """By words, best first."""

    def hits(self, user_id: UserId, chunk_ids: Sequence[ChunkId]) -> list[Hit]:
        """Without scores, in any order."""


class VectorIndex(Protocol):
    """What finds the nearest vectors of users who have very many; without it, searches compare all of them."""

    def state(self, model: Producer) -> IndexState | None:
        """None while somebody changes it."""

    def keep(self, model: Producer, decide: Callable[[IndexState], IndexAction]) -> IndexAction | None:
        """Does what `decide` says of the state, which nobody else changes meanwhile; None where somebody else is at it.

        Clears away before what an interruption left and what other models need no more. May take minutes.
        """


class VectorSamples(Protocol):
    """Stored vectors as queries whose right answer is known by comparing everything."""

    def models(self) -> list[Producer]:
        """Those that have stored vectors."""

    def draw(self, model: Producer, count: int) -> list[VectorSample]:
        """At random; fewer where there are fewer."""

    def compare(self, sample: VectorSample, model: Producer, found: Sequence[ChunkId], limit: int) -> tuple[int, int]:
        """How many of `found` are among the sample's `limit` nearest other chunks, and how many those are."""
