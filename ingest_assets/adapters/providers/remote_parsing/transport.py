"""Between a provider's client and the network: what passes by itself is repeated here, and nowhere else.

By itself, the library of the first protocol uploads again whatever the provider's Retry-After says, and polls on after
any error.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from functools import cache
from http import HTTPStatus
from urllib.request import getproxies, proxy_bypass

import httpx

from ingest_assets.adapters.providers.bounded_answers import PLAIN, Bound, garbled, is_plain
from ingest_assets.adapters.providers.remote_parsing.client import FINDABLE
from ingest_assets.adapters.providers.remote_parsing.failures import NAME, leaves_no_job, of_exception, of_status
from ingest_assets.adapters.providers.remote_parsing.settings import RemoteParsingSettings
from ingest_assets.domain.errors import IngestError, TransientError


class StrictTransport(httpx.AsyncBaseTransport):
    """Returns only JSON objects with a status of 2xx; it retries other answers or raises the catalogue's errors."""

    def __init__(self, base_url: str, settings: RemoteParsingSettings) -> None:
        self._network = httpx.AsyncHTTPTransport(verify=_certificates(), proxy=_proxy(httpx.URL(base_url)))
        self._settings = settings

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        settings = self._settings
        request.extensions["timeout"] = httpx.Timeout(settings.request_seconds).as_dict()
        for tries_left, pause in zip(reversed(range(settings.request_tries)), settings.pauses(), strict=False):
            try:
                return await self._answer(request)
            except IngestError as error:
                wait = pause if error.retry_after is None else error.retry_after
                if not tries_left or not _is_repeatable(request, error) or wait > settings.longest_retry_after:
                    raise
            await asyncio.sleep(wait)
        raise AssertionError("a request is tried at least once")

    async def aclose(self) -> None:
        await self._network.aclose()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        request.headers["Accept-Encoding"] = PLAIN
        try:
            response = await self._network.handle_async_request(request)
            try:
                content = await _bounded(response.aiter_raw()) if is_plain(response.headers) else b""
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            raise of_exception(error) from None
        if not response.is_success:
            raise _refused(request, response)
        if request.method != "DELETE" and not _is_json_object(content):
            raise garbled(NAME)
        return httpx.Response(response.status_code, headers=response.headers, content=content, request=request)


async def _bounded(parts: AsyncIterator[bytes]) -> bytes:
    bound, content = Bound(NAME), bytearray()
    async for part in parts:
        content += bound.passed(part)
    return bytes(content)


def _is_repeatable(request: httpx.Request, error: IngestError) -> bool:
    """Return whether a request may be sent again within the same paid call: not an upload that may be charged for."""
    return isinstance(error, TransientError) and not (request.method == "POST" and error.may_have_cost)


def _refused(request: httpx.Request, response: httpx.Response) -> IngestError:
    """Return the error for an answer other than 2xx.

    A status that blames the provider may hide a job: if that can be looked for, the request is not repeated. Only 503
    says that nothing was begun.
    """
    failure = of_status(response.status_code, response.headers)
    turned_away = failure.status == HTTPStatus.SERVICE_UNAVAILABLE
    failure.may_have_cost = FINDABLE.items() <= request.extensions.items() and not (
        turned_away or leaves_no_job(failure)
    )
    return failure


@cache
def _certificates() -> ssl.SSLContext:
    """Read the certificates once, because that takes longer than many requests."""
    return httpx.create_ssl_context()


def _is_json_object(content: bytes) -> bool:
    try:
        return isinstance(json.loads(content), dict)
    except (ValueError, RecursionError):
        return False


def _proxy(address: httpx.URL) -> str | None:
    """Return the environment's proxy, which the client ignores if it is given a transport."""
    return None if proxy_bypass(address.host) else getproxies().get(address.scheme)
