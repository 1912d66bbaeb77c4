"""Llama Cloud's protocol: POST a document, GET its job until that has ended, and DELETE what nobody needs any more."""

import json
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ingest_assets.adapters.providers.llamacloud.result import read_credits, read_job, read_result
from ingest_assets.adapters.providers.llamacloud.settings import REQUEST_ID, LlamaCloudSettings
from ingest_assets.adapters.providers.llamaparse.provider import DEFAULT_BASE_URL
from ingest_assets.adapters.providers.remote_parsing.client import FINDABLE, REMOTE_ID, RemoteParsingClient, Upload
from ingest_assets.adapters.providers.remote_parsing.failures import NAME, of_remote_job
from ingest_assets.adapters.providers.remote_parsing.result import ParseResult
from ingest_assets.domain.errors import ResourceError, TransientError

if TYPE_CHECKING:
    import httpx

JOBS = "/api/v2/parse"
UNDER_WAY = ("PENDING", "RUNNING")
CLOCKS_DIFFER = timedelta(minutes=5)
"""By how much the provider's clock may differ from the database's."""
PAGE_SIZE = 100

_importing = threading.Lock()


class LlamaCloudClient(RemoteParsingClient["httpx.AsyncClient"]):
    _settings: LlamaCloudSettings

    def __init__(
        self,
        key: Callable[[], str],
        base_url: str | None,
        settings: LlamaCloudSettings,
        called_back: Callable[[str], bool],
    ) -> None:
        super().__init__(base_url or DEFAULT_BASE_URL, settings, called_back)
        self._key = key

    def find(self, asked: Mapping[UUID, datetime], patience: float, seconds: float) -> dict[UUID, list[str]]:
        """Return the ids of the jobs that were created by each of some requests, in a lasting order, from one list.

        Args:
            asked: When each request was made, by its id.
            patience: How many seconds its answer was waited for.
            seconds: The longest wait: what is not read by then tells nothing, however long the list is.

        Raises:
            TransientError: timeout, or service_garbled if a page of the list leads to itself.
            IngestError: One of the provider errors of the catalogue.
        """
        since = min(asked.values()) - CLOCKS_DIFFER
        until = max(asked.values()) + timedelta(seconds=patience) + CLOCKS_DIFFER
        query = {
            "created_at_on_or_after": since.isoformat(),
            "created_at_on_or_before": until.isoformat(),
            "page_size": str(PAGE_SIZE),
        }
        return self._exchange(lambda session: _found(session, asked, query), seconds)

    def credits(self, remote_id: str, seconds: float) -> float | None:
        """Return the credits that are billed for a job, or None if they are not billed yet.

        Raises:
            TransientError: timeout, service_job_gone.
            IngestError: One of the provider errors of the catalogue.
        """

        async def ask(session: "httpx.AsyncClient") -> float | None:
            answer = await _get(session, remote_id, "usage")
            if answer is None:
                await _check_address(session)
                raise TransientError("service_job_gone", name=NAME)
            return read_credits(read_job(answer))

        return self._exchange(ask, seconds)

    def delete(self, remote_id: str, seconds: float) -> None:
        """Delete a job with its result, in whatever state it is; do nothing if it is gone.

        An address or a key with which no jobs can be listed does not show that one is gone.

        Raises:
            TransientError: timeout.
            IngestError: One of the provider errors of the catalogue.
        """

        async def end(session: "httpx.AsyncClient") -> None:
            answer = await _get(session, remote_id)
            if answer is None:
                await _check_address(session)
                return
            if read_job(answer)["status"] in UNDER_WAY:  # only what has ended can be deleted
                await session.post(f"{JOBS}/{remote_id}/cancel")
            await session.delete(f"{JOBS}/{remote_id}")

        self._exchange(end, seconds)

    @asynccontextmanager
    async def _connected(self, upload: Upload | None) -> "AsyncIterator[httpx.AsyncClient]":  # noqa: ARG002  it does not matter
        with _importing:
            import httpx  # noqa: PLC0415 - not every worker parses with a provider

            from ingest_assets.adapters.providers.remote_parsing.transport import StrictTransport  # noqa: PLC0415
        transport = StrictTransport(self._base_url, self._settings)
        headers = {"Authorization": f"Bearer {self._key()}"}
        async with httpx.AsyncClient(transport=transport, base_url=self._base_url, headers=headers) as session:
            yield session

    async def _create(self, session: "httpx.AsyncClient", upload: Upload) -> object:
        callback_url = self._callback_url("job", str(upload.request_id))
        configuration = self._settings.configuration(upload.request_id, upload.secret, callback_url)
        response = await session.post(
            f"{JOBS}/upload",
            files={"file": (upload.filename, upload.content)},
            data={"configuration": json.dumps(configuration)},
            extensions=FINDABLE,
        )
        return response.json().get("id")

    async def _is_done(self, session: "httpx.AsyncClient", remote_id: str) -> bool:
        answer = await _get(session, remote_id)
        if answer is None:
            raise TransientError("service_job_gone", name=NAME)
        job = read_job(answer)
        status = job["status"]
        if status != "COMPLETED" and status not in UNDER_WAY:
            raise of_remote_job(status, str(job.get("error_message") or ""))
        return bool(status == "COMPLETED")

    async def _result_if_there(self, session: "httpx.AsyncClient", remote_id: str) -> ParseResult | None:
        content = self._settings.content
        answer = await _get(session, remote_id, content, "usage")
        if answer is None or read_job(answer)["status"] != "COMPLETED":
            return None
        return read_result(answer, remote_id, self._settings.tier, content)


async def _found(
    session: "httpx.AsyncClient", request_ids: Iterable[UUID], query: Mapping[str, str]
) -> dict[UUID, list[str]]:
    found: dict[str, set[str]] = {str(request_id): set() for request_id in request_ids}
    page: dict[str, str] = {}
    while True:
        listed = (await session.get(JOBS, params={**query, **page})).json()
        for job in listed.get("items") or ():
            of_request = found.get(str((job.get("user_metadata") or {}).get(REQUEST_ID)))
            if of_request is not None and REMOTE_ID.fullmatch(job["id"]):
                of_request.add(job["id"])
        token = listed.get("next_page_token")
        if not token:
            return {UUID(request_id): sorted(remote_ids) for request_id, remote_ids in found.items()}
        if page == {"page_token": token}:
            raise TransientError("service_garbled", name=NAME)
        page = {"page_token": token}


async def _check_address(session: "httpx.AsyncClient") -> None:
    """Check that there are jobs at this address for this key, whichever.

    Raises:
        IngestError: One of the provider errors of the catalogue.
    """
    await session.get(JOBS, params={"page_size": "1"})


async def _get(session: "httpx.AsyncClient", remote_id: str, *expand: str) -> dict[str, Any] | None:
    """Get a job with what is asked for of it, or None if the provider does not know it."""
    try:
        answer: dict[str, Any] = (await session.get(f"{JOBS}/{remote_id}", params={"expand": list(expand)})).json()
    except ResourceError as error:
        if error.code != "service_unknown_address":
            raise
        return None
    return answer
