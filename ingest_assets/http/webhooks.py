"""Callbacks of providers: only one that proves where it comes from is read to its end, believed and kept."""

import hmac
import json
import logging
import re
from hashlib import sha256
from typing import Annotated, Any, TypeGuard
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.spending.remote_jobs import CalledBack
from ingest_assets.http.bodies import CallbackAnswer
from ingest_assets.http.dependencies import Service
from ingest_assets.http.ports import HttpService, Outcome
from ingest_assets.http.problems import problems
from ingest_assets.http.rate_limit import sender_of

logger = logging.getLogger("ingest_assets.http")
LARGEST_EVENT = 64 * 1024
"""Larger bodies are results; nobody reads them here, so they are not held in memory, and not kept."""
SUCCESS = "success"
BEFORE_THE_END = ("parse.pending", "parse.running")
SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])


@router.post("/llamaparse", responses=problems(401, 408, 413, 422, 429, 503))
async def llamaparse(
    request: Request,
    service: Service,
    secret: Annotated[
        str | None, Query(description="The remote job's secret, which is part of its callback address.")
    ] = None,
    lc_signature: Annotated[
        str | None, Header(description="sha256=HEX, the HMAC of the body, if a webhook secret is configured.")
    ] = None,
) -> CallbackAnswer:
    """Receive LlamaParse's report that a remote job has ended. Late, repeated and unknown reports do no harm."""
    service.rate_limit.admit(sender_of(request))
    outcome = await _outcome(request, service, secret, lc_signature)
    logger.info("callback from llamaparse: %s", outcome)
    if outcome is Outcome.REFUSED:
        raise PermanentError("signature_invalid")
    return CallbackAnswer(outcome=outcome)


@router.post("/llamacloud", responses=problems(401, 408, 413, 422, 429, 503))
async def llamacloud(
    request: Request,
    service: Service,
    job: Annotated[UUID | None, Query(description="The id of the request for the remote job.")] = None,
    lc_signature: Annotated[
        str | None, Header(description="sha256=HEX, the HMAC of the body with the secret of the remote job.")
    ] = None,
) -> CallbackAnswer:
    """Receive Llama Cloud's report that a remote job has ended. Late, repeated and unknown reports do no harm."""
    service.rate_limit.admit(sender_of(request))
    outcome = await _signed_outcome(request, service, job, lc_signature)
    logger.info("callback from llamacloud: %s", outcome)
    if outcome is Outcome.REFUSED:
        raise PermanentError("signature_invalid")
    return CallbackAnswer(outcome=outcome)


async def _signed_outcome(
    request: Request, service: HttpService, request_id: UUID | None, signature: str | None
) -> Outcome:
    """Look for the proof, which each remote job has a secret of its own for, before anything is stored."""
    if request_id is None or not SIGNATURE.fullmatch(signature or ""):
        return Outcome.REFUSED
    secret = await run_in_threadpool(service.callbacks.secret_of, request_id)
    if secret is None:
        return Outcome.UNKNOWN_JOB
    body, expected = await _received(request, secret)
    if not hmac.compare_digest(expected, signature or ""):
        return Outcome.REFUSED
    return await run_in_threadpool(_believe_end, service, secret, body)


def _believe_end(service: HttpService, secret: str, body: bytes) -> Outcome:
    """Complete the remote job whose end is reported, whatever it is: whoever waits for it asks how it ended."""
    if _event_in(body).get("event_type") in BEFORE_THE_END:
        return Outcome.NO_RESULT
    called = service.callbacks.complete_by_secret(secret)
    if called is None:
        return Outcome.UNKNOWN_JOB
    outcome = Outcome.FINISHED_BEFORE if called.completed_before else Outcome.COMPLETED
    service.llamacloud_log.record(body if outcome is Outcome.COMPLETED else b"", outcome, called.document_id)
    return outcome


async def _outcome(request: Request, service: HttpService, secret: str | None, signature: str | None) -> Outcome:
    """Look for the proof before the body is read, as far as it can be without, and before anything is stored."""
    key = service.webhook_secret
    if key is None:
        if not secret:
            return Outcome.REFUSED
        if not (_is_token(secret) and await run_in_threadpool(service.callbacks.expects, secret)):
            return Outcome.UNKNOWN_JOB
    elif not SIGNATURE.fullmatch(signature or ""):
        return Outcome.REFUSED
    body, expected = await _received(request, key or "")
    if key is not None and not hmac.compare_digest(expected, signature or ""):
        return Outcome.REFUSED
    return await run_in_threadpool(_believe, service, secret, body)


async def _received(request: Request, key: str) -> tuple[bytes, str]:
    """Return the body, or nothing of a large one, and its signature with this key."""
    body, digest = bytearray(), hmac.new(key.encode(), digestmod=sha256)
    async for part in request.stream():
        digest.update(part)
        if len(body) <= LARGEST_EVENT:
            body += part
    return bytes(body) if len(body) <= LARGEST_EVENT else b"", f"sha256={digest.hexdigest()}"


def _believe(service: HttpService, secret: str | None, body: bytes) -> Outcome:
    """Complete the remote job of a proven callback, and keep the callback; a repeated one leaves nothing more."""
    outcome, document_id = _judge(service, secret, _event_in(body))
    service.webhook_log.record(body if outcome is Outcome.COMPLETED else b"", outcome, document_id)
    return outcome


def _judge(service: HttpService, secret: str | None, event: dict[str, Any]) -> tuple[Outcome, DocumentId | None]:
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
    """Return the event in the body, or an empty one if the body cannot be read."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _is_token(value: object) -> TypeGuard[str]:
    """Return whether the value is printable ASCII, which the database also accepts as text."""
    return isinstance(value, str) and value.isascii() and value.isprintable()
