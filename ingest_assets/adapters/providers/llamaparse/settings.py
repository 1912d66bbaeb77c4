"""What to ask of the provider, what that costs, and how long to wait for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ingest_assets.adapters.providers.llamaparse.provider import PROVIDER
from ingest_assets.domain.documents.document import Producer
from ingest_assets.domain.files.file_types import FileType
from ingest_assets.domain.spending.costs import Usage

REVISION = 1
"""The revision of this package's own work on answers; raise it when the same answer would give another text."""

MICRO_USD_PER_CREDIT = 1250
"""A price of $1.25 per 1,000 credits."""


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

SUPPORTED = frozenset(
    {
        FileType.PDF,
        FileType.DOCX,
        FileType.PPTX,
        FileType.XLSX,
        FileType.ODS,
        FileType.EPUB,
        FileType.DOC,
        FileType.RTF,
        FileType.TIFF,
        FileType.JPEG,
        FileType.PNG,
        FileType.HTML,
        FileType.CSV,
        FileType.TEXT,
    }
)
"""The kinds of file that both the provider and this system read."""

PAGED = frozenset({FileType.PDF, FileType.DOCX, FileType.DOC, FileType.PPTX, FileType.RTF})


@dataclass(frozen=True, slots=True)
class LlamaParseSettings:
    tier: Tier = Tier.COST_EFFECTIVE
    tier_version: str = "latest"
    language: str | None = None
    """The language of scans, as the provider abbreviates it, such as "de"."""
    do_not_cache: bool = False
    """Whether to bypass the provider's cache, from which the same content costs nothing again for 48 hours."""
    callback_url: str | None = None
    """The public HTTPS address for reports that a remote job is done. The secret of the job is added to it."""
    seconds: float = 300
    """The longest wait for a document, not counting its pages."""
    seconds_per_page: float = 3
    request_seconds: float = 60
    """The longest silence within one request."""
    request_tries: int = 4
    first_pause: float = 0.5
    """The pause before the first look at a remote job or the second try of a request; doubles up to `longest_pause`."""
    longest_pause: float = 5
    longest_retry_after: float = 60
    """If the provider asks for a longer pause, the document waits in the queue instead."""
    callback_pause: float = 0.5
    """The pause between two looks at whether the provider has called back."""

    @property
    def producer(self) -> Producer:
        parts = [self.tier, *([] if self.tier_version == "latest" else [self.tier_version])]
        return Producer(PROVIDER.name, "-".join([*parts, *([self.language] if self.language else [])]) + f"+{REVISION}")

    def usage(self, pages: int) -> Usage:
        return priced(pages, pages * self.tier.credits_per_page)

    def patience(self, pages: int) -> float:
        """Return how many seconds to wait for a document."""
        return self.seconds + pages * self.seconds_per_page

    def pauses(self) -> Iterator[float]:
        """Yield pauses in seconds, without end."""
        pause = self.first_pause
        while True:
            yield pause
            pause = min(pause * 2, self.longest_pause)


def priced(pages: int, credits_used: int, request_id: str | None = None) -> Usage:
    return Usage(
        pages=pages, credits=credits_used, micro_usd=credits_used * MICRO_USD_PER_CREDIT, request_id=request_id
    )
