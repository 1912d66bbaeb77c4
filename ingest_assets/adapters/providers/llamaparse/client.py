"""The client library, used so that its defects do no harm.

An instance survives only one event loop, so each exchange has its own. Waiting is not left to the library, because its
waiting hides errors, takes a missing result for an empty document, and cannot be ended by a callback.
"""

import threading
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from ingest_assets.adapters.providers.llamaparse.provider import DEFAULT_BASE_URL
from ingest_assets.adapters.providers.llamaparse.result import read_result
from ingest_assets.adapters.providers.llamaparse.settings import LlamaParseSettings
from ingest_assets.adapters.providers.remote_parsing.client import RemoteParsingClient, Upload
from ingest_assets.adapters.providers.remote_parsing.failures import NAME, of_remote_job
from ingest_assets.adapters.providers.remote_parsing.result import ParseResult
from ingest_assets.domain.errors import ResourceError, TransientError

if TYPE_CHECKING:
    from llama_parse import LlamaParse

_importing = threading.Lock()


class LlamaParseClient(RemoteParsingClient["LlamaParse"]):
    def __init__(
        self,
        key: Callable[[], str],
        base_url: str | None,
        settings: LlamaParseSettings,
        called_back: Callable[[str], bool],
    ) -> None:
        super().__init__(base_url or DEFAULT_BASE_URL, settings, called_back)
        self._key = key

    @asynccontextmanager
    async def _connected(self, upload: Upload | None) -> "AsyncIterator[LlamaParse]":
        httpx, transport, make = _library()
        settings = self._settings
        async with httpx.AsyncClient(transport=transport.StrictTransport(self._base_url, settings)) as client:
            yield make(
                api_key=self._key(),
                base_url=self._base_url,
                custom_client=client,
                tier=settings.tier.value,
                version=settings.version,
                language=settings.language,
                do_not_cache=settings.do_not_cache,
                webhook_url=None if upload is None else self._callback_url("secret", upload.secret),
                ignore_errors=False,
                show_progress=False,
                verbose=False,
            )

    async def _create(self, session: "LlamaParse", upload: Upload) -> object:
        # its public methods also wait for the result, and this one has to be remembered first
        return await session._create_job(upload.content, extra_info={"file_name": upload.filename})  # noqa: SLF001

    async def _is_done(self, session: "LlamaParse", remote_id: str) -> bool:
        job = await _get(session, f"/api/parsing/job/{remote_id}")
        if job is None:
            raise TransientError("service_job_gone", name=NAME)
        status = job.get("status")
        if status not in ("SUCCESS", "PENDING"):
            raise of_remote_job(str(status), str(job.get("error_code") or ""))
        return bool(status == "SUCCESS")

    async def _result_if_there(self, session: "LlamaParse", remote_id: str) -> ParseResult | None:
        answer = await _get(session, f"/api/parsing/job/{remote_id}/result/json")
        return None if answer is None else read_result(answer, remote_id, self._settings.tier)


async def _get(session: "LlamaParse", path: str) -> dict[str, Any] | None:
    """Get a JSON object, or None if the provider has none there."""
    try:
        answer: dict[str, Any] = (await session.aclient.get(path)).json()
    except ResourceError as error:
        if error.code != "service_unknown_address":
            raise
        return None
    return answer


def _library() -> tuple[Any, Any, "type[LlamaParse]"]:
    """Import the library, which takes five seconds; it announces its end on import and pins its dependencies."""
    with _importing, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import httpx  # noqa: PLC0415 - importing these takes seconds, and not every worker parses with LlamaParse
        from llama_parse import LlamaParse  # noqa: PLC0415

        from ingest_assets.adapters.providers.remote_parsing import transport  # noqa: PLC0415
    return httpx, transport, LlamaParse
