"""What parsing, chunking and embedding need: parsers, chunkers, embedders and the gate before paid providers."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from ingest_assets.domain.documents.document import (
    Chunk,
    Document,
    DocumentId,
    ParsedDocument,
    Producer,
    UserId,
    Vectors,
)
from ingest_assets.domain.queue.lanes import Lane
from ingest_assets.domain.spending.costs import Usage
from ingest_assets.domain.spending.providers import ProviderName
from ingest_assets.domain.spending.remote_jobs import Bill, Leftover, RemoteJob, Unanswered, Unheard


class Parser(Protocol):
    def producer_of(self, media_type: str) -> Producer:
        """Return the tool that this parser would use; results of any other tool are outdated."""

    def costs_nothing(self, media_type: str) -> bool:
        """Return whether parsing again is cheaper than protecting a parse from loss; if not, a provider parses."""

    def parse(self, content: bytes, document: Document) -> ParsedDocument:
        """Parse a document's bytes into Markdown.

        Raises:
            IngestError: One of the parsing errors of the catalogue; bad content raises nothing else.
        """


class Chunker(Protocol):
    @property
    def producer(self) -> Producer: ...

    def chunk(self, document: Document, parsed: ParsedDocument) -> Sequence[Chunk]:
        """Cut a parsed text into chunks that cover it; return none if it holds nothing but white space.

        Raises:
            TransientError: chunking_timeout, chunking_out_of_memory, chunking_crashed, host_out_of_memory or
                parser_killed.
        """


class Embedder(Protocol):
    @property
    def model(self) -> Producer: ...

    @property
    def max_inputs(self) -> int:
        """How many texts one call takes."""

    @property
    def max_tokens(self) -> int:
        """How many tokens one call takes."""

    @property
    def max_in_flight(self) -> int:
        """How many calls one document may have in progress at once."""

    @property
    def costs_nothing(self) -> bool:
        """Whether making a vector again is cheaper than protecting it from loss."""

    def count_tokens(self, text: str) -> int: ...

    def embed(self, texts: Sequence[str], document: Document) -> Vectors:
        """Return one vector per text, in order, each finite and not zero; book the cost on the document."""

    def embed_query(self, query: str, user_id: UserId) -> Vectors:
        """Return the query's vector, of shape (VECTOR_DIMENSIONS,)."""


class PaidCall(Protocol):
    @property
    def call_id(self) -> int:
        """The call's number in the ledger."""

    def settle(self, usage: Usage) -> None:
        """Record what the call really used; a successful call that is not settled counts as its estimate."""


class PaidCalls(Protocol):
    """The gate around every call that costs money: breaker, rate limits and budgets before it, the ledger after it."""

    def begin(
        self,
        provider: ProviderName,
        estimate: Usage,
        user_id: UserId,
        document_id: DocumentId | None,
        fence: int | None = None,
    ) -> AbstractContextManager[PaidCall]:
        """Reserve the estimate, wait for the rate limit, and book the call when the block ends.

        A worker that was frozen, or that waited for long, may have lost its document to another, who pays for it too;
        so the block begins only if the document is still held under this fence.

        An exception that leaves the block counts as the call's failure and releases the reservation, unless the call
        may have cost something all the same. If the worker dies in the block, the call stays uncertain.

        Raises:
            ResourceError: breaker_open, budget_spent or service_rate_limited, before anything is spent; service_away,
                as `attributing_failures`; claim_lost.
            PermanentError: document_budget_spent, before anything is spent.
        """

    def attributing_failures(
        self, provider: ProviderName, document_id: DocumentId | None
    ) -> AbstractContextManager[None]:
        """Take a provider's failure within the block for its outage if it has served no other document meanwhile.

        Raises:
            OutageError: service_away.
        """

    def reconcile(self, call_id: int, usage: Usage | None) -> None:
        """Settle a call whose worker never came back, now that it is known what the call used; None for nothing."""

    def bill(self, call_id: int, usage: Usage) -> None:
        """Replace what a call is taken to have cost, in credits and money, by what the provider bills.

        A bill of many times what was expected is told to the observer.
        """

    def release(self, call_id: int) -> None:
        """Settle a call by nothing, now that it has certainly cost nothing; do nothing if it is settled."""


class RemoteJobs(Protocol):
    """A parsing provider's jobs by content and parser: each is paid once, and any later worker can fetch its result."""

    def prepare(
        self, document: Document, producer: Producer, call_id: int | None = None, request_id: UUID | None = None
    ) -> str:
        """Prepare a new job and return the secret by which the provider's callback proves where it comes from.

        An earlier job for the same content that was given a request id is left over.

        Args:
            document: The document.
            producer: The parser.
            call_id: The call in the ledger that pays for the job.
            request_id: The id that the provider is told, if it is told one.

        Raises:
            ResourceError: claim_lost, if the document is gone.
        """

    def withdraw(self, request_id: UUID) -> None:
        """Record that the provider certainly has no job of this request."""

    def unanswered(self, document: Document, producer: Producer) -> Unanswered | None:
        """Return the request of which nobody knows whether the provider has a job, or None."""

    def remember(self, document: Document, producer: Producer, remote_id: str, call_id: int | None = None) -> None:
        """Record that the provider has accepted the prepared job; it does no harm to repeat this.

        Args:
            document: The document.
            producer: The parser.
            remote_id: The provider's id of the job.
            call_id: The call for which the job was prepared.

        Raises:
            ResourceError: claim_lost, if the document is gone, or another call has prepared a newer job.
            TransientError: service_job_repeated, if the id is that of another document's job, or of another parser's.
        """

    def recall(self, document: Document, producer: Producer) -> RemoteJob | None:
        """Return the job that the provider has accepted, or None."""

    def book(self, document: Document, producer: Producer, remote_id: str) -> None:
        """Record that the ledger holds the cost of the job; do nothing if the job is forgotten."""

    def await_bill(self, document: Document, producer: Producer, remote_id: str) -> None:
        """Record that the provider has not billed the job yet; do nothing if the job is forgotten."""

    def forget(self, document: Document, producer: Producer, remote_id: str) -> None:
        """Forget a job that is of no use any more; a newer one stays. With a request id, it is left over."""

    def leave(self, asked: Unanswered, producer: Producer, remote_id: str) -> None:
        """Leave over a job of a request of which another job is kept; it does no harm to repeat this.

        Args:
            asked: The request, with the call in the ledger that pays for this job.
            producer: The parser.
            remote_id: The provider's id of the job.
        """

    def completed(self, remote_id: str) -> bool:
        """Return whether the provider has called back for the job."""


class RemoteLeftovers(Protocol):
    """What is still to be done about providers' jobs, by whoever comes next: bills that are due, and leftovers."""

    def are_due(self, providers: Sequence[ProviderName]) -> bool:
        """Return whether there is anything to do now about jobs of these providers."""

    def bills(self, providers: Sequence[ProviderName], limit: int) -> list[Bill]:
        """Return jobs of these providers whose bill is to be asked for now, and put off their next turn.

        Each turn is as far off as the job is old; after a week, a job's bill is not asked for any more.
        """

    def billed(self, remote_id: str) -> None:
        """Record that there is no more to ask about a job's bill."""

    def unheard(self, providers: Sequence[ProviderName], limit: int) -> list[Unheard]:
        """Return requests to these providers of which nobody has heard for an hour, and put off their next turn.

        Each turn is as far off as the request is old; after a week, it is not asked about any more.
        """

    def settled(self, request_id: UUID) -> None:
        """Record that there is no more to ask about what a request has cost."""

    def to_remove(self, providers: Sequence[ProviderName], limit: int) -> list[Leftover]:
        """Return jobs of these providers that are left over, and put off their next turn."""

    def to_look_for(self, providers: Sequence[ProviderName], limit: int) -> list[Leftover]:
        """Return requests to these providers that are left over without an answer, and put off their next turn."""

    def removed(self, request_id: UUID) -> None:
        """Record that the provider keeps nothing of a job that was left over."""


class RemoteKeeper(Protocol):
    """A provider that keeps jobs until they are removed. No call lasts for ever, whatever the provider does."""

    def bill(self, remote_id: str) -> Usage | None:
        """Return what the provider bills for a job, in credits and money, or None if it does not know yet.

        Raises:
            TransientError: service_job_gone.
            IngestError: One of the provider errors of the catalogue.
        """

    def find(self, asked: Mapping[UUID, datetime]) -> Mapping[UUID, Sequence[str]]:
        """Return the provider's ids of the jobs of each request, of which there is usually one or none.

        One list answers for all requests. None is returned only if it was read whole, for an hour from each.

        Args:
            asked: When each request was made, by its id; at least one.

        Raises:
            IngestError: One of the provider errors of the catalogue.
        """

    def remove(self, remote_id: str) -> None:
        """Remove a job and its result, in whatever state it is; do nothing if it is gone.

        Raises:
            IngestError: One of the provider errors of the catalogue.
        """


class Availability(Protocol):
    """Whether providers can be called at all."""

    def take_calls(self, lane: Lane | None = None) -> bool:
        """Return whether every provider without a stand-in takes calls now, of those that a lane needs or of all."""
