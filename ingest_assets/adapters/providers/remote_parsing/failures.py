"""What each failure of the provider and its client means: one table each by status, by remote job and by class."""

import re
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus

from ingest_assets.adapters.providers.http_failures import CODES, code_of_status, retry_after
from ingest_assets.domain.errors import CATALOGUE, IngestError
from ingest_assets.pipeline.failure import as_ingest_error

NAME = "The parsing provider"

BY_STATUS = CODES | {415: "unsupported"}

BY_REMOTE_CODE = (
    (re.compile("PASSWORD|ENCRYPT"), "encrypted"),
    (re.compile("UNSUPPORTED"), "unsupported"),
    (re.compile("BROKEN|CORRUPT|UNABLE_TO_CONVERT|INVALID_FILE"), "corrupt"),
    (re.compile("NO_DATA|EMPTY"), "empty_output"),
)
"""The provider adds codes from time to time; words in them tell what they mean."""

BY_REMOTE_MESSAGE = (
    (re.compile("password|encrypted", re.IGNORECASE), "encrypted"),
    (re.compile("unsupported (file|document)", re.IGNORECASE), "unsupported"),
    (re.compile("(corrupt|broken|invalid)(ed)? (file|document|pdf)", re.IGNORECASE), "corrupt"),
)
"""For people: only what cannot be meant otherwise says something about the document."""

BY_CLASS = {
    "TimeoutException": "service_slow",
    "NetworkError": "service_unavailable",
    "ProxyError": "service_unavailable",
    "RemoteProtocolError": "service_unavailable",
    "LocalProtocolError": "service_key_refused",  # no header can hold such a key
    "UnsupportedProtocol": "service_unknown_address",
    "InvalidURL": "service_unknown_address",
    "TooManyRedirects": "service_unknown_address",
    "DecodingError": "service_garbled",
    "TransportError": "service_unavailable",
    "JSONDecodeError": "service_garbled",
    "UnicodeDecodeError": "service_garbled",
    "UnicodeEncodeError": "service_key_refused",
    "LookupError": "service_garbled",
    "TypeError": "service_garbled",
    "HTTPError": "service_unavailable",
    "OSError": "service_unavailable",
    "ValueError": "service_unavailable",
}
"""The classes by name, because the client is imported only if it is used."""

UNSENT = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "PoolTimeout",
        "ProxyError",
        "LocalProtocolError",
        "UnsupportedProtocol",
        "InvalidURL",
        "UnicodeEncodeError",
    }
)
"""Why a request never left, by the class of the HTTP client's error."""

REMOTE_JOB_ENDED = frozenset({code for _, code in BY_REMOTE_CODE} | {"service_job_failed", "service_job_gone"})
"""Errors after which waiting for the remote job is over; the job then costs nothing."""


def of_status(status: int, headers: Mapping[str, str], now: datetime | None = None) -> IngestError:
    """Return the error for an answer other than 2xx.

    A Retry-After date counts from `now`, by default the clock's time.
    """
    failure = _error(code_of_status(status, BY_STATUS), found=status)
    failure.retry_after = retry_after(headers, now)
    failure.status = status
    return failure


def leaves_no_job(failure: IngestError) -> bool:
    """Return whether the provider has certainly created nothing for a request that failed.

    It refused the request by a status that blames the request, or was never sent it. A status that blames the provider
    may come from a gateway that stopped waiting for the answer.
    """
    if failure.status is None:
        return not failure.may_have_cost
    return failure.status < HTTPStatus.INTERNAL_SERVER_ERROR and failure.status != HTTPStatus.REQUEST_TIMEOUT


def of_remote_job(status: str, told: str | None) -> IngestError:
    """Return the error for a remote job without a result: that failed, was cancelled, or has a future status.

    Args:
        status: ERROR with a code, or FAILED with a message, or any other.
        told: The code or the message.
    """
    for pattern, code in {"ERROR": BY_REMOTE_CODE, "FAILED": BY_REMOTE_MESSAGE}.get(status, ()):
        if pattern.search(told or ""):
            return _error(code)
    return _error("service_job_failed")


def of_exception(error: Exception) -> IngestError:
    """Return the error for anything that the client raised, without its text.

    A defect of this code, or of the library, says nothing about the provider.
    """
    if isinstance(error, IngestError):
        return error
    response = getattr(error, "response", None)
    if response is not None:
        return of_status(response.status_code, response.headers)
    status = getattr(error, "status", None)
    if isinstance(status, str):
        return of_remote_job(status, getattr(error, "error_code", None))
    if isinstance(error.__cause__, Exception):
        return of_exception(error.__cause__)
    names = [kind.__name__ for kind in type(error).__mro__]
    code = next((BY_CLASS[name] for name in names if name in BY_CLASS), None)
    if code is None and type(error) is not Exception:
        failure = as_ingest_error(error)
    else:  # the library raises plain exceptions for much that the provider does
        failure = _error(code or "service_unavailable")
    failure.may_have_cost = UNSENT.isdisjoint(names)
    return failure


def _error(code: str, **facts: object) -> IngestError:
    return CATALOGUE[code].error(code, name=NAME, **facts)
