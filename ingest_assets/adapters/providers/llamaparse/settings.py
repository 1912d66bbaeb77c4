"""What is asked of the provider, what that costs, and how long it is waited for."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ingest_assets.adapters.providers.llamaparse.provider import PROVIDER
from ingest_assets.domain.documents.document import Producer
from ingest_assets.domain.files.file_types import FileType
from ingest_assets.domain.spending.costs import Usage

REVISION = 1
"""Of what this package does around the provider: raise it when the same answer would give another text."""

MICRO_USD_PER_CREDIT = 1250
"""$1.25 per 1,000 credits."""


class Tier(StrEnum):
    FAST = "fast"
    """Text without Markdown."""
    COST_EFFECTIVE = "cost_effective"
    AGENTIC = "agentic"
    AGENTIC_PLUS = "agentic_plus"

    @property
    def credits_per_page(self) -> int:
        return CREDITS_PER_PAGE[self]


CREDITS_PER_PAGE = {Tier.FAST: 1, Tier.COST_EFFECTIVE: 3, Tier.AGENTIC: 10, Tier.AGENTIC_PLUS: 45}

SUPPORTED = frozenset(FileType) - {FileType.EML, FileType.MARKDOWN, FileType.ODT}
"""The kinds that the provider reads; of those that this system knows."""

PAGED = frozenset({FileType.PDF, FileType.DOCX, FileType.DOC, FileType.PPTX, FileType.RTF})


@dataclass(frozen=True, slots=True)
class LlamaParseSettings:
    tier: Tier = Tier.COST_EFFECTIVE
    tier_version: str = "latest"
    language: str | None = None
    """Of scans, as the provider abbreviates it: de."""
    do_not_cache: bool = False
    """The provider keeps results for 48 hours, in which the same content costs nothing again."""
    callback_url: str | None = None
    """Where the provider reports that a job is done: public HTTPS. The job's secret is added to it."""
    seconds: float = 300
    """The longest wait for a document, and for each of its pages more:"""
    seconds_per_page: float = 3
    request_seconds: float = 60
    """The longest silence within one request."""
    request_tries: int = 4
    first_pause: float = 0.5
    """Before the first look at a job or the second try of a request; doubled up to:"""
    longest_pause: float = 5
    longest_retry_after: float = 60
    """A provider that asks for a longer pause gets it from the queue."""
    callback_pause: float = 0.5
    """Between two looks at whether the provider has called back."""

    @property
    def producer(self) -> Producer:
        parts = [self.tier, *([] if self.tier_version == "latest" else [self.tier_version])]
        return Producer(PROVIDER.name, "-".join([*parts, *([self.language] if self.language else [])]) + f"+{REVISION}")

    def usage(self, pages: int) -> Usage:
        return priced(pages, pages * self.tier.credits_per_page)

    def patience(self, pages: int) -> float:
        """Seconds."""
        return self.seconds + pages * self.seconds_per_page

    def pauses(self) -> Iterator[float]:
        """Seconds, without end."""
        pause = self.first_pause
        while True:
            yield pause
            pause = min(pause * 2, self.longest_pause)


def priced(pages: int, credits_used: int, request_id: str | None = None) -> Usage:
    return Usage(
        pages=pages, credits=credits_used, micro_usd=credits_used * MICRO_USD_PER_CREDIT, request_id=request_id
    )
