"""The HTTP service as one ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.types import Scope

from ingest_assets.http import dashboards, documents, health, metrics, search, webhooks
from ingest_assets.http.body_limits import BodyLimits
from ingest_assets.http.following import events
from ingest_assets.http.forms import FORM_ENVELOPE, is_form
from ingest_assets.http.ports import HttpService
from ingest_assets.http.problems import install_handlers
from ingest_assets.http.safety import Safety

JSON_BYTES = 64 * 1024
DESCRIPTION = """Submit documents, and search their passages.

Every request needs a bearer token, except the health checks and the callbacks, and sees only its user's documents.
Errors are `application/problem+json` with a stable `code` and a `hint`."""


def build_application(service: HttpService) -> FastAPI:
    """Return the application with its routes, limits and error handlers."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.followers.close()
        service.uploads.close()
        service.downloads.close()

    application = FastAPI(
        title="ingest-assets",
        version=version("ingest-assets"),
        description=DESCRIPTION,
        docs_url=None,  # its page loads scripts from a public network
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    application.state.service = service
    for router in (
        documents.router,
        events.router,
        search.router,
        webhooks.router,
        health.router,
        metrics.router,
        dashboards.router,
    ):
        application.include_router(router)
    install_handlers(application)
    seconds = service.limits.arrival_seconds
    application.add_middleware(BodyLimits, limit_of=lambda scope: _limit(scope, service), seconds=seconds)
    application.add_middleware(Safety, count=service.count_request)
    return application


def _limit(scope: Scope, service: HttpService) -> int:
    """Return how many bytes the body may have."""
    path = scope["path"]
    if path == documents.router.prefix:
        return service.intake.max_bytes + (FORM_ENVELOPE if is_form(Headers(scope=scope)) else 0)
    return service.webhook_max_bytes if path.startswith(webhooks.router.prefix) else JSON_BYTES
