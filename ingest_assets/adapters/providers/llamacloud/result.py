"""What Llama Cloud's answers say, once they are known to be JSON objects."""

from collections.abc import Mapping
from typing import Any

from ingest_assets.adapters.providers.remote_parsing.failures import NAME
from ingest_assets.adapters.providers.remote_parsing.result import ParseResult, in_order, page_number
from ingest_assets.adapters.providers.remote_parsing.settings import Tier, priced
from ingest_assets.domain.errors import IngestError, TransientError

MOST_CREDITS = 250_000
"""No document that is taken in costs more: 5,000 pages in the dearest tier. A larger number is no bill."""


def read_job(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the job that an answer is about.

    Raises:
        TransientError: service_garbled.
    """
    job = answer.get("job")
    if not isinstance(job, dict) or not isinstance(job.get("status"), str):
        raise _garbled()
    return job


def read_credits(job: Mapping[str, Any]) -> float | None:
    """Return the credits that are billed for a job, or None if there is no bill yet, or none that can be true."""
    usage = job.get("usage")
    value = usage.get("credits") if isinstance(usage, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_CREDITS:
        return None
    return value


def read_result(answer: Mapping[str, Any], remote_id: str, tier: Tier, content: str) -> ParseResult:
    """Return the result that an answer holds.

    Raises:
        TransientError: service_garbled, or service_job_failed if a page is missing.
    """
    held = answer.get(content)
    pages = held.get("pages") if isinstance(held, dict) else None
    if not isinstance(pages, list):
        raise _garbled()
    texts = in_order(dict(_numbered(page, position, content) for position, page in enumerate(pages, start=1)))
    billed = read_credits(read_job(answer))
    if billed == 0:  # the result comes from the provider's cache
        return ParseResult(remote_id, texts, priced(0, 0, remote_id))
    used = len(texts) * tier.credits_per_page if billed is None else billed
    return ParseResult(remote_id, texts, priced(len(texts), used, remote_id), is_billed=billed is not None)


def _numbered(page: object, position: int, content: str) -> tuple[int, str]:
    if not isinstance(page, dict):
        raise _garbled()
    if page.get("success") is False:
        raise TransientError("service_job_failed", name=NAME)
    text = page.get(content)
    return page_number(page.get("page_number"), position), text if isinstance(text, str) else ""


def _garbled() -> IngestError:
    return TransientError("service_garbled", name=NAME)
