"""What to ask of a parsing provider, what that costs, and how long and how closely to wait for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from ingest_assets.domain.documents.document import Producer
from ingest_assets.domain.files.file_types import FileType
from ingest_assets.domain.spending.costs import Usage
from ingest_assets.domain.spending.providers import Provider

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
"""The kinds of file that both the providers and this system read."""

PAGED = frozenset({FileType.PDF, FileType.DOCX, FileType.DOC, FileType.PPTX, FileType.RTF})


@dataclass(frozen=True, slots=True)
class RemoteParsingSettings:
    provider: ClassVar[Provider]
    revision: ClassVar[int]
    """The revision of this system's own work on answers; raise it when the same answer would give another text."""

    tier: Tier = Tier.COST_EFFECTIVE
    tier_version: str = "latest"
    language: str | None = None
    """The language of scans, as the provider abbreviates it, such as "de"."""
    do_not_cache: bool = False
    """Whether to bypass the provider's cache, from which the same content costs nothing again for 48 hours."""
    callback_url: str | None = None
    """The public HTTPS address for reports that a remote job has ended. What names the job is added to it."""
    seconds: float = 300
    """The longest wait for a document, not counting its pages."""
    seconds_per_page: float = 3
    request_seconds: float = 60
    """The longest silence within one request."""
    request_tries: int = 4
    first_pause: float = 0.5
    """The shortest pause before the first look at a remote job, and the one before the second try of a request."""
    longest_pause: float = 5
    first_look: float = 0.6
    """After which share of the usual time a remote job is first looked at."""
    close_pause: float = 1
    """The pause between looks at about the time at which a remote job usually ends."""
    close_seconds: float = 20
    """How long looks are close at least, because nobody knows beforehand how long a remote job takes."""
    longest_retry_after: float = 60
    """If the provider asks for a longer pause, the document waits in the queue instead."""
    callback_pause: float = 0.5
    """The pause between two looks at whether the provider has called back."""

    @property
    def version(self) -> str:
        """Return the version of the tier that the provider is asked for."""
        return self.tier_version

    @property
    def producer(self) -> Producer:
        parts = [self.tier, *([] if self.version == "latest" else [self.version])]
        name = "-".join([*parts, *([self.language] if self.language else [])])
        return Producer(self.provider.name, f"{name}+{self.revision}")

    def usage(self, pages: int) -> Usage:
        return priced(pages, pages * self.tier.credits_per_page)

    def patience(self, pages: int) -> float:
        """Return how many seconds to wait for a document."""
        return self.seconds + pages * self.seconds_per_page

    def pauses(self) -> Iterator[float]:
        """Yield the pauses between tries of a request, without end."""
        pause = self.first_pause
        while True:
            yield pause
            pause = min(pause * 2, self.longest_pause)

    def looks(self, usual: float) -> Iterator[float]:
        """Yield the pauses between looks at a remote job, without end.

        Before anything can have happened, nobody asks. Then looks are a second apart or, if the work takes minutes, a
        twentieth of the time that has passed. When it takes twice as long as usual, they become rare.

        Args:
            usual: How many seconds such a job usually takes; 0 if nobody knows.
        """
        passed = max(self.first_pause, self.first_look * usual)
        yield passed
        while passed < max(2 * usual, self.close_seconds):
            pause = min(max(self.close_pause, passed / 20), self.longest_pause)
            yield pause
            passed += pause
        pause = self.first_pause
        while True:
            pause = min(pause * 2, self.longest_pause)
            yield pause


def priced(pages: int, credits_used: float, request_id: str | None = None) -> Usage:
    """Return what a provider bills, which may be a fraction of a credit."""
    money = round(credits_used * MICRO_USD_PER_CREDIT)
    return Usage(pages=pages, credits=round(credits_used), micro_usd=money, request_id=request_id)
