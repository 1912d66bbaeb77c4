"""Callbacks of outside services: kept as they came, then believed only where they prove who they are from."""

import hmac
import json
import logging
from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request

from ingest_assets.domain.costs import Service as OutsideService
from ingest_assets.domain.errors import PermanentError
from ingest_assets.http.bodies import CallbackAnswer
from ingest_assets.http.dependencies import Service
from ingest_assets.http.ports import Completion, HttpService, Outcome
from ingest_assets.http.problems import problems

logger = logging.getLogger("ingest_assets.http")
LONGEST_SECRET = 200

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])


async def _body(request: Request, service: Service) -> bytes:
    """Rates are limited by address: only the body and its signature say who is calling."""
    service.rate_limit.admit(request.client.host if request.client else None)
    return await request.body()


@router.post("/llamaparse", responses=problems(401, 408, 413, 422, 429, 503))
def llamaparse(
    service: Service,
    body: Annotated[bytes, Depends(_body)],
    secret: Annotated[
        str | None, Query(max_length=LONGEST_SECRET, description="The job's own secret, from its callback address.")
    ] = None,
    lc_signature: Annotated[
        str | None, Header(description="sha256=HEX: the HMAC of the body, where a webhook secret is configured.")
    ] = None,
) -> CallbackAnswer:
    """LlamaParse reports the end of a job; again, late, or for a job that nobody knows any more does no harm."""
    webhook_id = service.webhook_log.store(OutsideService.LLAMAPARSE, body)
    completion = _complete(service, body, secret, lc_signature)
    service.webhook_log.settle(webhook_id, completion.outcome, completion.document_id)
    logger.info("callback %d of llamaparse: %s", webhook_id, completion.outcome)
    if completion.outcome is Outcome.REFUSED:
        raise PermanentError("signature_invalid")
    return CallbackAnswer(outcome=completion.outcome)


def _complete(service: HttpService, body: bytes, secret: str | None, signature: str | None) -> Completion:
    """The job's own secret names the job; a signed body may name it too."""
    if service.webhook_secret is not None and not _signed(body, service.webhook_secret, signature):
        return Completion(Outcome.REFUSED)
    if secret:
        return service.callbacks.by_secret(secret)
    if service.webhook_secret is None:
        return Completion(Outcome.REFUSED)
    job = _job_named_in(body)
    return Completion(Outcome.UNKNOWN_JOB) if job is None else service.callbacks.by_job(job)


def _signed(body: bytes, secret: str, signature: str | None) -> bool:
    expected = "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), (signature or "").encode())


def _job_named_in(body: bytes) -> str | None:
    """`job_id`, by itself or within `data`."""
    try:
        event = json.loads(body)
        named = event.get("job_id") or event["data"]["job_id"]
    except (ValueError, RecursionError, AttributeError, LookupError, TypeError):
        return None
    return named if isinstance(named, str) else None
