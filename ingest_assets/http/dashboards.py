"""The dashboards for people without Grafana. They are asked for by a browser, with a password of their own."""

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from ingest_assets.dashboards.page import content_policy, page_of
from ingest_assets.http.dependencies import Service

router = APIRouter(include_in_schema=False)

HEADERS = {
    "Content-Security-Policy": f"{content_policy()}; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
ONE_AT_A_TIME = CapacityLimiter(1)
"""Dashboards read much. Whoever waits for one must hold no thread that others need."""


@router.get("/ops")
async def ops(service: Service, request: Request) -> HTMLResponse:
    """Return the dashboards as they are now.

    Raises:
        PermanentError: dashboards_closed.
        RefusalError: dashboards_refused.
        IngestError: The database does not answer.
    """
    await service.dashboards_login.admit(request.headers.get("authorization"))
    page = await run_sync(lambda: page_of(*service.make_dashboards()), limiter=ONE_AT_A_TIME)
    return HTMLResponse(page, headers=HEADERS)
