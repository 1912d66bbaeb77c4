"""What each failure of the OpenAI client means: one table by code, one by status, one by class."""

from datetime import datetime

from ingest_assets.adapters.providers.http_failures import code_of_status, retry_after
from ingest_assets.domain.errors import CATALOGUE, IngestError

NAME = "The embedding provider"

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
"""Embedding raises none of these; if one comes all the same, the work is tried again."""

UNSENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "LocalProtocolError"})
"""Why a request never left, by the class of the HTTP client's error."""

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
"""The classes by name, because the client is imported only if it is used."""


def classify(error: Exception, now: datetime | None = None) -> IngestError:
    """Return the catalogue's error for one of the client's, without its text and request.

    Args:
        error: The client's error.
        now: The time to count a Retry-After date from; by default the clock's.
    """
    if isinstance(error.__cause__, IngestError):  # what is read of an answer is bounded here
        return error.__cause__
    status = getattr(error, "status_code", 0)
    code = _by_code(error) or _by_class(error) or code_of_status(status)
    failure = CATALOGUE[code].error(code, name=NAME, found=status)
    failure.retry_after = retry_after(getattr(getattr(error, "response", None), "headers", {}), now)
    failure.may_have_cost = not status and isinstance(error.__cause__, Exception) and not _is_unsent(error.__cause__)
    return failure


def _is_unsent(cause: Exception) -> bool:
    return any(kind.__name__ in UNSENT for kind in type(cause).__mro__)


def _by_code(error: Exception) -> str | None:
    said = (getattr(error, "code", None), getattr(error, "type", None))
    return next((BY_CODE[code] for code in said if isinstance(code, str) and code in BY_CODE), None)


def _by_class(error: Exception) -> str:
    names = (kind.__name__ for kind in type(error).__mro__)
    return next((BY_CLASS[name] for name in names if name in BY_CLASS), "service_unavailable")
