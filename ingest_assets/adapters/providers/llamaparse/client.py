"""The client library, used so that its defects do no harm.

An instance survives only one event loop, so each exchange has its own. Waiting is done here, because the library's
waiting hides errors, takes a missing result for an empty document, and cannot be ended by a callback.
"""

import asyncio
import re
import threading
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from ingest_assets.adapters.providers.llamaparse.failures import NAME, of_exception, of_remote_job
from ingest_assets.adapters.providers.llamaparse.result import ParseResult, read_result
from ingest_assets.adapters.providers.llamaparse.settings import LlamaParseSettings
from ingest_assets.domain.errors import IngestError, ResourceError, TransientError

if TYPE_CHECKING:
    from llama_parse import LlamaParse

Answer = TypeVar("Answer")

REMOTE_ID = re.compile(r"[\w-]{1,200}")
"""The id of a remote job becomes part of addresses."""

_importing = threading.Lock()

DEFAULT_BASE_URL = "https://api.cloud.llamaindex.ai"


class LlamaParseClient:
    def __init__(
        self,
        key: Callable[[], str],
        base_url: str | None,
        settings: LlamaParseSettings,
        called_back: Callable[[str], bool],
    ) -> None:
        self._key = key
        self._base_url = (base_url or DEFAULT_BASE_URL).rstrip("/")
        self._settings = settings
        self._called_back = called_back

    def upload(self, content: bytes, filename: str, callback_url: str | None, seconds: float) -> str:
        """Upload a document and return the provider's id of the remote job.

        Raises:
            TransientError: timeout.
            IngestError: One of the provider errors of the catalogue.
        """

        async def create(llama: "LlamaParse") -> str:
            # its public methods also wait for the result, and this one has to be remembered first
            remote_id = await llama._create_job(content, extra_info={"file_name": filename})  # noqa: SLF001
            if not isinstance(remote_id, str) or not REMOTE_ID.fullmatch(remote_id):
                raise TransientError("service_garbled", name=NAME)
            return remote_id

        return self._exchange(create, seconds, callback_url)

    def result(self, remote_id: str, seconds: float, pauses: Iterator[float]) -> ParseResult:
        """Wait for the remote job to end and return its result.

        Args:
            remote_id: The provider's id of the job.
            seconds: How long to wait at most.
            pauses: How long to wait before each look at the job, without end.

        Raises:
            TransientError: timeout.
            IngestError: One of the provider errors of the catalogue.
        """

        async def wait(llama: "LlamaParse") -> ParseResult:
            answer = await self._answer(llama, remote_id, pauses)
            return read_result(answer, remote_id, self._settings.tier)

        return self._exchange(wait, seconds)

    def _exchange(
        self, talk: "Callable[[LlamaParse], Awaitable[Answer]]", seconds: float, callback_url: str | None = None
    ) -> Answer:
        """Talk to the provider in a new event loop and on a new connection."""

        async def exchange() -> Answer:
            async with self._connected(callback_url) as llama, asyncio.timeout(seconds):
                return await talk(llama)

        try:
            return asyncio.run(exchange())
        except TimeoutError:
            failure = TransientError("timeout", seconds=round(seconds))
            failure.may_have_cost = True
            raise failure from None
        except IngestError:
            raise
        except Exception as error:
            raise of_exception(error) from None

    @asynccontextmanager
    async def _connected(self, callback_url: str | None) -> "AsyncIterator[LlamaParse]":
        httpx, transport, make = _library()
        settings = self._settings
        async with httpx.AsyncClient(transport=transport.StrictTransport(self._base_url, settings)) as client:
            yield make(
                api_key=self._key(),
                base_url=self._base_url,
                custom_client=client,
                tier=settings.tier.value,
                version=settings.tier_version,
                language=settings.language,
                do_not_cache=settings.do_not_cache,
                webhook_url=callback_url,
                ignore_errors=False,
                show_progress=False,
                verbose=False,
            )

    async def _answer(self, llama: "LlamaParse", remote_id: str, pauses: Iterator[float]) -> dict[str, Any]:
        job_path = f"/api/parsing/job/{remote_id}"
        result_path = f"{job_path}/result/json"
        trusts_callback = self._settings.callback_url is not None
        for pause in pauses:
            if not trusts_callback:
                await asyncio.sleep(pause)
            elif await self._is_called_back(remote_id, pause):
                trusts_callback = False  # the provider may call back before the result is there; trust only one call
                answer = await _get_if_there(llama, result_path)
                if answer is not None:
                    return answer
            job = await _get(llama, job_path)
            status = job.get("status")
            if status == "SUCCESS":
                break
            if status != "PENDING":
                raise of_remote_job(str(status), str(job.get("error_code") or ""))
        return await _get(llama, result_path)

    async def _is_called_back(self, remote_id: str, seconds: float) -> bool:
        """Return whether the provider calls back within this time."""
        now = asyncio.get_running_loop().time
        end = now() + seconds
        while not self._called_back(remote_id):
            if now() >= end:
                return False
            await asyncio.sleep(min(seconds, self._settings.callback_pause))
        return True


async def _get(llama: "LlamaParse", path: str) -> dict[str, Any]:
    """Get a JSON object.

    Raises:
        TransientError: service_job_gone.
    """
    answer = await _get_if_there(llama, path)
    if answer is None:
        raise TransientError("service_job_gone", name=NAME)
    return answer


async def _get_if_there(llama: "LlamaParse", path: str) -> dict[str, Any] | None:
    try:
        answer: dict[str, Any] = (await llama.aclient.get(path)).json()
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

        from ingest_assets.adapters.providers.llamaparse import transport  # noqa: PLC0415
    return httpx, transport, LlamaParse
