"""Errors as RFC 9457 problems, with the codes of the command line."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from ingest_assets.domain.errors import IngestError, PermanentError
from ingest_assets.pipeline.failure import as_ingest_error

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5

STATUS_OF_CODE = {
    "token_missing": HTTPStatus.UNAUTHORIZED,
    "token_invalid": HTTPStatus.UNAUTHORIZED,
    "token_expired": HTTPStatus.UNAUTHORIZED,
    "signature_invalid": HTTPStatus.UNAUTHORIZED,
    "metrics_refused": HTTPStatus.UNAUTHORIZED,
    "metrics_closed": HTTPStatus.FORBIDDEN,
    "dashboards_refused": HTTPStatus.UNAUTHORIZED,
    "dashboards_closed": HTTPStatus.FORBIDDEN,
    "unknown_document": HTTPStatus.NOT_FOUND,
    "unknown_path": HTTPStatus.NOT_FOUND,
    "method_not_allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "request_timeout": HTTPStatus.REQUEST_TIMEOUT,
    "idempotency_conflict": HTTPStatus.CONFLICT,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "unsupported": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "uploads_of_user_full": HTTPStatus.TOO_MANY_REQUESTS,
    "downloads_of_user_full": HTTPStatus.TOO_MANY_REQUESTS,
    "streams_of_user_full": HTTPStatus.TOO_MANY_REQUESTS,
    "streams_full": HTTPStatus.TOO_MANY_REQUESTS,
    "budget_spent": HTTPStatus.TOO_MANY_REQUESTS,
    "content_missing": HTTPStatus.NOT_FOUND,
    "object_tampered": HTTPStatus.BAD_GATEWAY,
    "unexpected": HTTPStatus.INTERNAL_SERVER_ERROR,
    "database_too_old": HTTPStatus.SERVICE_UNAVAILABLE,
    "pgvector_missing": HTTPStatus.SERVICE_UNAVAILABLE,
    "pgvector_closed": HTTPStatus.SERVICE_UNAVAILABLE,
    "migration_changed": HTTPStatus.SERVICE_UNAVAILABLE,
}
HINT_OF_CODE = {
    "token_missing": "Send the header Authorization: Bearer TOKEN.",
    "invalid_request": "See /openapi.json of this service.",
    "unknown_path": "See /openapi.json of this service.",
    "method_not_allowed": "See /openapi.json of this service.",
    "deletion_incomplete": "The deletion is tried again every hour; you may also repeat the request now.",
    "unknown_document": "Check the id; the document may have been deleted.",
}
"""Hints for callers over HTTP, in place of the catalogue's."""

CODE_OF_STATUS = {HTTPStatus.NOT_FOUND: "unknown_path", HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed"}


class Problem(BaseModel):
    """An error as RFC 9457 describes it, with a stable `code` and a `hint` on what to do."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    code: str = Field(examples=["unknown_document"])
    detail: str | None = Field(default=None, examples=["There is no such document."])
    hint: str | None = Field(default=None, examples=[HINT_OF_CODE["unknown_document"]])


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return how a route may fail, for its description."""
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


class BodyRefused(HTTPException):
    """A body breaks a limit. It is an HTTPException because FastAPI hides others while it reads a body."""

    def __init__(self, error: IngestError) -> None:
        super().__init__(status_of(error))
        self.error = error


class ProblemResponse(JSONResponse):
    """An answer that reports an error."""

    media_type = MEDIA_TYPE


def status_of(error: IngestError) -> HTTPStatus:
    """Return the status of an error. By default, a permanent error is the request's fault and any other will pass."""
    by_kind = HTTPStatus.UNPROCESSABLE_ENTITY if isinstance(error, PermanentError) else HTTPStatus.SERVICE_UNAVAILABLE
    return STATUS_OF_CODE.get(error.code, by_kind)


def hint_of(code: str | None, neutral: str | None) -> str | None:
    """Return the hint for an error over HTTP: the one of this service if there is one, or `neutral`."""
    return HINT_OF_CODE.get(code or "", neutral)


def describe(error: IngestError) -> dict[str, Any]:
    """Return an error as a problem. An unexpected error gets no detail."""
    status = status_of(error)
    described: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "code": error.code,
    }
    if status is not HTTPStatus.INTERNAL_SERVER_ERROR:
        described |= {"detail": error.message, "hint": hint_of(error.code, error.hint)}
    return described


def problem(error: IngestError, headers: Mapping[str, str] | None = None) -> ProblemResponse:
    """Return the answer to a request that failed with this error."""
    status = status_of(error)
    added = dict(headers or {})
    if status is HTTPStatus.UNAUTHORIZED:
        added.setdefault("WWW-Authenticate", "Bearer")
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        added["Retry-After"] = str(RETRY_SECONDS)
    return ProblemResponse(describe(error), status, added)


class RefusalError(Exception):
    """An error of the catalogue whose answer needs its own headers."""

    def __init__(self, error: IngestError, headers: Mapping[str, str]) -> None:
        super().__init__(error.code)
        self.error = error
        self.headers = headers


def install_handlers(application: FastAPI) -> None:
    """Make the application answer every error as a problem."""
    application.add_exception_handler(IngestError, _of_ingest_error)
    application.add_exception_handler(RefusalError, _of_refusal)
    application.add_exception_handler(BodyRefused, _of_refused_body)
    application.add_exception_handler(HTTPException, _of_http_exception)
    application.add_exception_handler(RequestValidationError, _of_validation_error)


def _of_ingest_error(_: Request, error: Exception) -> ProblemResponse:
    return problem(as_ingest_error(error))


def _of_refusal(_: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, RefusalError)  # noqa: S101
    return problem(error.error, error.headers)


def _of_refused_body(_: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, BodyRefused)  # noqa: S101
    return problem(error.error)


def _of_http_exception(_: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    code = CODE_OF_STATUS.get(HTTPStatus(error.status_code))
    if code is None:
        return problem(PermanentError("invalid_request", what="its body cannot be read."))
    return problem(PermanentError(code), error.headers)


def _of_validation_error(_: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    return problem(PermanentError("invalid_request", what="; ".join(map(_fault, error.errors())) + "."))


def _fault(fault: Mapping[str, Any]) -> str:
    """Return what is wrong, without quoting the request.

    It leaves out names that the caller invented, and everything after the first words of a rule.
    """
    place = fault["loc"][:-1] if fault["type"] == "extra_forbidden" else fault["loc"]
    return f"{'.'.join(map(str, place))}: {fault['msg'].partition(',')[0]}"
