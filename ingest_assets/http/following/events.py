"""The stream of events by which callers learn how their documents end, so that nobody asks again and again."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent

from ingest_assets.domain.queue.jobs import Announcement
from ingest_assets.http.bodies import AnnouncedDocument
from ingest_assets.http.dependencies import Admitted, Service
from ingest_assets.http.following.followers import Follower
from ingest_assets.http.problems import problems

RECONNECTION_MILLISECONDS = 3000
LAST_EVENT_ID = 2**63 - 1
DATA = {
    "type": "string",
    "contentMediaType": "application/json",
    "contentSchema": AnnouncedDocument.model_json_schema(),
}
STREAM: dict[str, Any] = {
    "responses": {"200": {"content": {"text/event-stream": {"itemSchema": {"properties": {"data": DATA}}}}}}
}

LastEventId = Annotated[
    int | None,
    Header(
        alias="Last-Event-ID",
        ge=0,
        le=LAST_EVENT_ID,
        description="The id of the last event received, behind which the stream goes on. By default, it begins now.",
    ),
]


async def _place(service: Service, admission: Admitted, last_event_id: LastEventId = None) -> AsyncIterator[Follower]:
    """Keep a place among the followers until the stream has ended.

    Raises:
        RefusalError: streams_of_user_full, streams_full.
    """
    with service.followers.admit(admission, last_event_id) as follower:
        yield follower


router = APIRouter(prefix="/v1/events", tags=["documents"])


@router.get(
    "",
    response_class=EventSourceResponse,
    openapi_extra=STREAM,
    responses=problems(401, 422, 429, 503),
)
async def follow_documents(
    service: Service, follower: Annotated[Follower, Depends(_place)]
) -> AsyncIterator[ServerSentEvent]:
    """Tell how the caller's documents end, as it happens: an event `document` when one is done or has failed.

    The stream ends when the token expires, and may end at other times; open it again with `Last-Event-ID`. An event may
    come twice, but none is left out.
    """
    async for told in service.followers.follow(follower):
        if isinstance(told, Announcement):
            yield ServerSentEvent(event="document", id=str(told.event_id), data=AnnouncedDocument.of(told))
        else:
            yield ServerSentEvent(id=str(told), retry=RECONNECTION_MILLISECONDS)
