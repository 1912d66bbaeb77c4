"""What services ask for, in micro-dollars rounded up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EmbeddingPrice:
    micro_usd_per_million_tokens: int = 20_000
    """OpenAI's for text-embedding-3-small."""

    def of(self, tokens: int) -> int:
        return -(-tokens * self.micro_usd_per_million_tokens // 1_000_000)


@dataclass(frozen=True, slots=True)
class ParsingPrice:
    credits_per_page: int = 3
    """LlamaParse's by tier: 1, 3, 10 or 45."""
    micro_usd_per_credit: int = 1_250

    def credits(self, pages: int) -> int:
        return pages * self.credits_per_page

    def of(self, pages: int) -> int:
        return self.credits(pages) * self.micro_usd_per_credit
