"""What a provider's HTTP answer means to the pipeline, unless the provider itself says something better."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

CODES: dict[int, str] = {
    401: "service_key_refused",
    402: "service_quota_spent",
    403: "service_key_refused",
    404: "service_unknown_address",
    405: "service_unknown_address",
    408: "service_slow",
    409: "service_unavailable",
    425: "service_unavailable",
    429: "service_busy",
    504: "service_slow",
}
"""The catalogue's codes by HTTP status."""

_IN_UNITS = (("retry-after-ms", 0.001), ("retry-after", 1.0))
"""Headers that name a number, each with the seconds that one of their units takes."""
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{0,9})?")


def code_of_status(status: int, codes: Mapping[int, str] = CODES) -> str:
    """Return the catalogue's code for an answer other than 2xx."""
    if status in codes:
        return codes[status]
    if status < HTTPStatus.BAD_REQUEST:  # a redirect to nowhere
        return "service_unknown_address"
    return "service_refused" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "service_unavailable"


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return how many seconds a provider asks to be left alone, or None if it does not say.

    Args:
        headers: The headers by lower-case names.
        now: The time to count a date from; by default the clock's.
    """
    for name, seconds in _IN_UNITS:
        value = headers.get(name, "").strip()
        if _NUMBER.fullmatch(value):
            return float(value) * seconds
    return _until(headers.get("retry-after", ""), now or datetime.now(UTC))


def _until(date: str, now: datetime) -> float | None:
    try:
        named = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (named.replace(tzinfo=named.tzinfo or UTC) - now).total_seconds())
