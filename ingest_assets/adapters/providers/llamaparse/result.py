"""What the provider's answers say, once they are known to be JSON objects."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ingest_assets.adapters.providers.llamaparse.failures import NAME
from ingest_assets.adapters.providers.llamaparse.settings import Tier, priced
from ingest_assets.domain.errors import TransientError
from ingest_assets.domain.spending.costs import Usage

MOST_PAGES = 100_000
_WEB_PAGE = re.compile(r"\s*<(?:!doctype html|html)[\s>]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ParseResult:
    remote_id: str
    pages: tuple[str, ...]
    """The pages by number; a page that the provider left out is empty."""
    usage: Usage

    @property
    def holds_web_page(self) -> bool:
        """Whether the provider read an error page, a sign-in form or the like instead of the document."""
        return any(map(_WEB_PAGE.match, self.pages))


def read_result(answer: Mapping[str, Any], remote_id: str, tier: Tier) -> ParseResult:
    """Return the result that an answer holds.

    Raises:
        TransientError: service_garbled.
    """
    pages = answer.get("pages")
    if not isinstance(pages, list):
        raise TransientError("service_garbled", name=NAME)
    texts = dict(_numbered(page, position) for position, page in enumerate(pages, start=1))
    ordered = tuple(texts.get(number, "") for number in range(1, max(texts, default=0) + 1))
    metadata = answer.get("job_metadata")
    return ParseResult(
        remote_id, ordered, _usage(metadata if isinstance(metadata, dict) else {}, len(ordered), remote_id, tier)
    )


def _numbered(page: object, position: int) -> tuple[int, str]:
    if not isinstance(page, dict):
        raise TransientError("service_garbled", name=NAME)
    number = page.get("page")
    if not isinstance(number, int) or not 0 < number <= MOST_PAGES:
        number = position
    # The fast tier gives only text.
    texts = [text for text in (page.get("md"), page.get("text")) if isinstance(text, str) and text.strip()]
    return number, texts[0] if texts else ""


def _usage(metadata: Mapping[str, Any], pages: int, remote_id: str, tier: Tier) -> Usage:
    """Return what the bill will say, or what the price list says if the provider does not tell."""
    if metadata.get("job_is_cache_hit") is True:
        return priced(0, 0, remote_id)
    billed = _count(metadata.get("job_pages"), pages)
    used = _count(metadata.get("job_credits_usage"), billed * tier.credits_per_page)
    return priced(billed, used, remote_id)


def _count(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and value >= 0 else otherwise
