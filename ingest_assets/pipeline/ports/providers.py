"""What calls of parsers, embedders and the providers behind them need."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from ingest_assets.domain.documents.document import Document, DocumentId, ParsedDocument, Producer, UserId, Vectors
from ingest_assets.domain.spending.costs import Usage
from ingest_assets.domain.spending.providers import ProviderName
from ingest_assets.domain.spending.remote_jobs import RemoteJob


class Parser(Protocol):
    def producer_of(self, media_type: str) -> Producer:
        """Which tool this parser would use; what another one made in its place is outdated."""

    def costs_nothing(self, media_type: str) -> bool:
        """Return whether parsing again is cheaper than keeping a parse from loss; if not, a provider is waited for."""

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
        self, provider: ProviderName, estimate: Usage, user_id: UserId, document_id: DocumentId | None
    ) -> AbstractContextManager[PaidCall]:
        """Waits for the rate limit. Raises ResourceError breaker_open, budget_spent, service_rate_limited before
        anything is spent.

        An exception that leaves the block counts as the call's failure and gives the reservation back.
        """


class RemoteJobs(Protocol):
    """What a parsing provider is working on for us, by content and parser: paid once, fetched by whoever comes back."""

    def prepare(self, document: Document, producer: Producer) -> str:
        """Makes room for a new job; the secret by which the provider's callback names it.

        Raises ResourceError claim_lost where the document is gone.
        """

    def remember(self, document: Document, producer: Producer, remote_id: str) -> None:
        """The provider has accepted the prepared job. Raises ResourceError claim_lost where the document is gone."""

    def recall(self, document: Document, producer: Producer) -> RemoteJob | None:
        """The job that the provider has accepted."""

    def book(self, document: Document, producer: Producer, remote_id: str) -> None:
        """Notes that the ledger holds what the job costs; nothing happens where it is forgotten."""

    def forget(self, document: Document, producer: Producer) -> None:
        """The job is of no use any more."""

    def completed(self, remote_id: str) -> bool:
        """Whether the service has called back."""


class Availability(Protocol):
    """Whether providers can be called at all."""

    def take_calls(self) -> bool:
        """Return whether every provider without a stand-in takes calls now."""
