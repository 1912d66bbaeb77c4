"""What LlamaParse's answers say, once they are known to be JSON objects."""

from collections.abc import Mapping
from typing import Any

from ingest_assets.adapters.providers.remote_parsing.failures import NAME
from ingest_assets.adapters.providers.remote_parsing.result import ParseResult, in_order, page_number
from ingest_assets.adapters.providers.remote_parsing.settings import Tier, priced
from ingest_assets.domain.errors import TransientError
from ingest_assets.domain.spending.costs import Usage


def read_result(answer: Mapping[str, Any], remote_id: str, tier: Tier) -> ParseResult:
    """Return the result that an answer holds.

    Raises:
        TransientError: service_garbled.
    """
    pages = answer.get("pages")
    if not isinstance(pages, list):
        raise TransientError("service_garbled", name=NAME)
    texts = in_order(dict(_numbered(page, position) for position, page in enumerate(pages, start=1)))
    metadata = answer.get("job_metadata")
    usage = _usage(metadata if isinstance(metadata, dict) else {}, len(texts), remote_id, tier)
    return ParseResult(remote_id, texts, usage)


def _numbered(page: object, position: int) -> tuple[int, str]:
    if not isinstance(page, dict):
        raise TransientError("service_garbled", name=NAME)
    # The fast tier gives only text.
    texts = [text for text in (page.get("md"), page.get("text")) if isinstance(text, str) and text.strip()]
    return page_number(page.get("page"), position), texts[0] if texts else ""


def _usage(metadata: Mapping[str, Any], pages: int, remote_id: str, tier: Tier) -> Usage:
    """Return what the bill will say, or what the price list says if the provider does not tell."""
    if metadata.get("job_is_cache_hit") is True:
        return priced(0, 0, remote_id)
    billed = _count(metadata.get("job_pages"), pages)
    used = _count(metadata.get("job_credits_usage"), billed * tier.credits_per_page)
    return priced(billed, used, remote_id)


def _count(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and value >= 0 else otherwise
