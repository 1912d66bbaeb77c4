"""The dashboards for people without Grafana. They are asked for by a browser, with a password of their own."""

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
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


@router.get("/ops")
async def ops(service: Service, request: Request) -> HTMLResponse:
    """Return the dashboards as they are now.

    Raises:
        PermanentError: dashboards_closed.
        RefusalError: dashboards_refused.
        IngestError: The database does not answer.
    """
    await service.dashboards_login.admit(request.headers.get("authorization"))
    page = await run_in_threadpool(lambda: page_of(*service.make_dashboards()))
    return HTMLResponse(page, headers=HEADERS)
