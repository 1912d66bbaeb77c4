"""What each failure of the OpenAI client means for the work: one table by code, one by status, one by class."""

import re
from collections.abc import Mapping

from ingest_assets.domain.errors import CATALOGUE, IngestError
from ingest_assets.domain.spending.service_statuses import CODES

NAME = "The embedding service"

BY_CODE = {
    "insufficient_quota": "service_quota_spent",  # arrives as a RateLimitError
    "billing_hard_limit_reached": "service_quota_spent",
    "billing_not_active": "service_quota_spent",
    "invalid_api_key": "service_key_refused",
    "account_deactivated": "service_key_refused",
    "model_not_found": "service_unknown_address",
}


OF_OTHER_ENDPOINTS = [
    "AgentFilePreparationError",
    "AgentFileStagingError",
    "AgentOutputParseError",
    "AgentTurnResultError",
    "APIRemovedInV1",
    "ContentFilterFinishReasonError",
    "LengthFinishReasonError",
    "MissingDependencyError",
    "MutuallyExclusiveAuthError",
    "StreamAlreadyConsumed",
    "WebSocketConnectionClosedError",
    "WebSocketQueueFullError",
    "_AmbiguousModuleClientUsageError",
]
"""Embedding raises none of them: if one comes all the same, the work is tried again."""

ITS_STATUS = ""
BY_CLASS = {
    "APITimeoutError": "service_slow",
    "APIConnectionError": "service_unavailable",
    "APIResponseValidationError": "service_garbled",
    "APIStatusError": ITS_STATUS,
    "BadRequestError": ITS_STATUS,
    "AuthenticationError": ITS_STATUS,
    "OAuthError": ITS_STATUS,
    "PermissionDeniedError": ITS_STATUS,
    "NotFoundError": ITS_STATUS,
    "ConflictError": ITS_STATUS,
    "UnprocessableEntityError": ITS_STATUS,
    "RateLimitError": ITS_STATUS,
    "InternalServerError": ITS_STATUS,
    "SubjectTokenProviderError": "service_key_refused",
    "APIError": "service_unavailable",
    "OpenAIError": "service_unavailable",
    **dict.fromkeys(OF_OTHER_ENDPOINTS, "service_unavailable"),
}
"""By name, because the client is imported only where it is used."""


def classify(error: Exception) -> IngestError:
    """The catalogue's error for one of the client's; of the client's text and request, nothing is kept."""
    status = getattr(error, "status_code", 0)
    code = _by_code(error) or _by_class(error) or _by_status(status)
    failure = CATALOGUE[code].error(code, name=NAME, found=status)
    failure.retry_after = retry_after(getattr(getattr(error, "response", None), "headers", {}))
    return failure


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds; None where the service does not say, or names a date."""
    for name, seconds in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "")
        if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
            return float(value) * seconds
    return None


def _by_code(error: Exception) -> str | None:
    said = (getattr(error, "code", None), getattr(error, "type", None))
    return next((BY_CODE[code] for code in said if isinstance(code, str) and code in BY_CODE), None)


def _by_class(error: Exception) -> str:
    names = (kind.__name__ for kind in type(error).__mro__)
    return next((BY_CLASS[name] for name in names if name in BY_CLASS), "service_unavailable")


def _by_status(status: int) -> str:
    if status in CODES:
        return CODES[status]
    if status < 400:  # noqa: PLR2004  a redirect that leads nowhere
        return "service_unknown_address"
    return "service_refused" if status < 500 else "service_unavailable"  # noqa: PLR2004
