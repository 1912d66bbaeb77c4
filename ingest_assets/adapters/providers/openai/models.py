"""Which model embeds, what it takes, and what it costs."""

from dataclasses import dataclass

from ingest_assets.domain.documents.document import VECTOR_DIMENSIONS, Producer
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.spending.costs import Usage

INPUTS_PER_REQUEST = 2048
TOKENS_PER_REQUEST = 300_000
TOKENS_PER_TEXT = 8192


@dataclass(frozen=True, slots=True)
class KnownModel:
    micro_usd_per_million_tokens: int
    takes_dimensions: bool


KNOWN_MODELS = {
    "text-embedding-3-small": KnownModel(20_000, takes_dimensions=True),
    "text-embedding-3-large": KnownModel(130_000, takes_dimensions=True),
    "text-embedding-ada-002": KnownModel(100_000, takes_dimensions=False),
}
"""OpenAI's own models; prices from https://platform.openai.com/docs/pricing."""


@dataclass(frozen=True, slots=True)
class OpenAISettings:
    model: str = "text-embedding-3-small"
    version: str = "1"
    """Change this if a server changes the model behind a name: vectors of two versions are never compared."""
    dimensions: int | None = None
    """The dimensions to request, or to expect if a model takes no request; None: 1536 for OpenAI's, any for others."""
    micro_usd_per_million_tokens: int | None = None
    """The price; None: the list price of OpenAI's models, and nothing for others."""
    max_inputs: int = 256
    max_tokens: int = 100_000
    max_text_tokens: int = TOKENS_PER_TEXT
    max_in_flight: int = 4
    """How many requests one document may have in progress at once."""
    max_in_flight_together: int = 32
    """How many requests all documents of a process may have in progress at once; queries come on top."""
    connect_seconds: float = 5.0
    answer_seconds: float = 30.0
    """The longest silence while waiting for an answer."""
    arrival_seconds: float = 120.0
    """The longest time from the beginning of an answer to its end."""
    longest_pause: float = 5.0
    """The longest Retry-After, in seconds, that a call waits for; the queue waits for longer ones."""
    pauses: int = 2
    """How often one call obeys Retry-After."""

    def __post_init__(self) -> None:
        if not (0 < self.max_inputs <= INPUTS_PER_REQUEST and 0 < self.max_tokens <= TOKENS_PER_REQUEST):
            raise ValueError(f"a request takes 1 to {INPUTS_PER_REQUEST} inputs and 1 to {TOKENS_PER_REQUEST} tokens")
        if min(self.max_in_flight, self.max_in_flight_together) < 1:
            raise ValueError("at least one request must be allowed in flight")
        if self.dimensions is not None and self.dimensions > VECTOR_DIMENSIONS:
            raise PermanentError("dimensions_unsupported", found=self.dimensions, limit=VECTOR_DIMENSIONS)

    @property
    def producer(self) -> Producer:
        shortened = self.expected_dimensions not in (None, VECTOR_DIMENSIONS)
        return Producer(self.model, f"{self.version}-{self.expected_dimensions}d" if shortened else self.version)

    @property
    def expected_dimensions(self) -> int | None:
        return self.dimensions or (VECTOR_DIMENSIONS if self.model in KNOWN_MODELS else None)

    @property
    def requested_dimensions(self) -> int | None:
        known = KNOWN_MODELS.get(self.model)
        return self.expected_dimensions if known is not None and known.takes_dimensions else None

    def usage(self, tokens: int, request_id: str | None = None) -> Usage:
        """Return what this many tokens cost, rounded up to whole micro-dollars."""
        price = self.micro_usd_per_million_tokens
        if price is None:
            known = KNOWN_MODELS.get(self.model)
            price = known.micro_usd_per_million_tokens if known is not None else 0
        return Usage(tokens=tokens, micro_usd=-(-tokens * price // 1_000_000), request_id=request_id)
