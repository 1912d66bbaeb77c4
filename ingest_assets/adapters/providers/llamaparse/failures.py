"""What each failure of the service and its client means for the work: one table each by status, job and class."""

import re
from collections.abc import Mapping
from datetime import datetime

from ingest_assets.adapters.providers.http_failures import CODES, code_of_status, retry_after
from ingest_assets.domain.errors import CATALOGUE, IngestError

NAME = "The parsing provider"

BY_STATUS = CODES | {415: "unsupported"}

BY_JOB_CODE = (
    (re.compile("PASSWORD|ENCRYPT"), "encrypted"),
    (re.compile("UNSUPPORTED"), "unsupported"),
    (re.compile("BROKEN|CORRUPT|UNABLE_TO_CONVERT|INVALID_FILE"), "corrupt"),
    (re.compile("NO_DATA|EMPTY"), "empty_output"),
)
"""The service adds codes of its own from time to time: what they contain tells what they mean."""

BY_CLASS = {
    "TimeoutException": "service_slow",
    "NetworkError": "service_unavailable",
    "ProxyError": "service_unavailable",
    "RemoteProtocolError": "service_unavailable",
    "LocalProtocolError": "service_key_refused",  # a key that no header can hold
    "UnsupportedProtocol": "service_unknown_address",
    "InvalidURL": "service_unknown_address",
    "TooManyRedirects": "service_unknown_address",
    "DecodingError": "service_garbled",
    "TransportError": "service_unavailable",
    "JSONDecodeError": "service_garbled",
    "UnicodeDecodeError": "service_garbled",
    "LookupError": "service_garbled",
    "TypeError": "service_garbled",
}
"""By name, because the client is imported only where it is used."""

JOB_ENDED = frozenset({code for _, code in BY_JOB_CODE} | {"service_job_failed", "service_job_gone"})
"""With these, waiting for the job is over, and it costs nothing."""


def of_status(status: int, headers: Mapping[str, str], now: datetime | None = None) -> IngestError:
    """For an answer other than 2xx; `now` (by default the clock's) is what a Retry-After date is counted from."""
    failure = _error(code_of_status(status, BY_STATUS), found=status)
    failure.retry_after = retry_after(headers, now)
    return failure


def of_job(status: str, error_code: str | None) -> IngestError:
    """For a job that ended without success: ERROR, CANCELED, PARTIAL_SUCCESS or one that is yet to be invented."""
    if status == "ERROR" and error_code:
        for pattern, code in BY_JOB_CODE:
            if pattern.search(error_code):
                return _error(code)
    return _error("service_job_failed")


def of_exception(error: Exception) -> IngestError:
    """For whatever the client raised; of its text, nothing is kept."""
    if isinstance(error, IngestError):
        return error
    response = getattr(error, "response", None)
    if response is not None:
        return of_status(response.status_code, response.headers)
    status = getattr(error, "status", None)
    if isinstance(status, str):
        return of_job(status, getattr(error, "error_code", None))
    if isinstance(error.__cause__, Exception):
        return of_exception(error.__cause__)
    names = (kind.__name__ for kind in type(error).__mro__)
    return _error(next((BY_CLASS[name] for name in names if name in BY_CLASS), "service_unavailable"))


def _error(code: str, **facts: object) -> IngestError:
    return CATALOGUE[code].error(code, name=NAME, **facts)
