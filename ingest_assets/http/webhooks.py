"""Callbacks of providers: each is stored as it came, and believed only if it proves who sent it."""

import hmac
import json
import logging
from hashlib import sha256
from typing import Annotated, Any, TypeGuard

from fastapi import APIRouter, Depends, Header, Query, Request

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.spending.remote_jobs import CalledBack
from ingest_assets.http.bodies import CallbackAnswer
from ingest_assets.http.dependencies import Service
from ingest_assets.http.ports import HttpService, Outcome
from ingest_assets.http.problems import problems

logger = logging.getLogger("ingest_assets.http")
LARGEST_EVENT = 64 * 1024
SUCCESS = "success"

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])


async def _body(request: Request, service: Service) -> bytes:
    """Return the body. The rate is limited by address, because only the body and its signature say who is calling."""
    service.rate_limit.admit(request.client.host if request.client else None)
    return await request.body()


@router.post("/llamaparse", responses=problems(401, 408, 413, 422, 429, 503))
def llamaparse(
    service: Service,
    body: Annotated[bytes, Depends(_body)],
    secret: Annotated[
        str | None, Query(description="The remote job's secret, which is part of its callback address.")
    ] = None,
    lc_signature: Annotated[
        str | None, Header(description="sha256=HEX, the HMAC of the body, if a webhook secret is configured.")
    ] = None,
) -> CallbackAnswer:
    """Receive LlamaParse's report that a remote job has ended. Late, repeated and unknown reports do no harm."""
    webhook_id = service.webhook_log.store(body)
    outcome, document_id = _judge(service, body, secret, lc_signature)
    service.webhook_log.settle(webhook_id, outcome, document_id)
    logger.info("callback %d from llamaparse: %s", webhook_id, outcome)
    if outcome is Outcome.REFUSED:
        raise PermanentError("signature_invalid")
    return CallbackAnswer(outcome=outcome)


def _judge(
    service: HttpService, body: bytes, secret: str | None, signature: str | None
) -> tuple[Outcome, DocumentId | None]:
    if service.webhook_secret is not None and not _signed(body, service.webhook_secret, signature):
        return Outcome.REFUSED, None
    if service.webhook_secret is None and not secret:
        return Outcome.REFUSED, None
    event = _event_in(body)
    if not str(event.get("event_type", SUCCESS)).endswith(SUCCESS):
        return Outcome.NO_RESULT, None
    called = _complete(service, secret, event)
    if called is None:
        return Outcome.UNKNOWN_JOB, None
    return Outcome.FINISHED_BEFORE if called.completed_before else Outcome.COMPLETED, called.document_id


def _complete(service: HttpService, secret: str | None, event: dict[str, Any]) -> CalledBack | None:
    """Complete the remote job that its secret names, or that a signed event names."""
    if secret:
        return service.callbacks.complete_by_secret(secret) if _is_token(secret) else None
    data = event.get("data")
    named = data.get("job_id") if isinstance(data, dict) else event.get("job_id")
    return service.callbacks.complete(named) if _is_token(named) else None


def _event_in(body: bytes) -> dict[str, Any]:
    """Return the event in the body, or an empty one if the body is a whole result or cannot be read."""
    if len(body) > LARGEST_EVENT:
        return {}
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _is_token(value: object) -> TypeGuard[str]:
    """Return whether the value is printable ASCII, which the database also accepts as text."""
    return isinstance(value, str) and value.isascii() and value.isprintable()


def _signed(body: bytes, secret: str, signature: str | None) -> bool:
    expected = "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), (signature or "").encode())
