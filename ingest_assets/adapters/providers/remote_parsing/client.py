"""How to talk to a parsing provider: upload a document, then wait until it calls back or says that it is done."""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from ingest_assets.adapters.providers.remote_parsing.failures import NAME, of_exception
from ingest_assets.adapters.providers.remote_parsing.result import ParseResult
from ingest_assets.adapters.providers.remote_parsing.settings import RemoteParsingSettings
from ingest_assets.domain.errors import IngestError, TransientError

Answer = TypeVar("Answer")
Session = TypeVar("Session")

REMOTE_ID = re.compile(r"[\w-]{1,200}")
"""The id of a remote job becomes part of addresses."""

FINDABLE = {"findable": True}
"""The extensions of an HTTP request for a job that can be looked for if nobody knows whether there is one."""


@dataclass(frozen=True, slots=True)
class Upload:
    content: bytes
    filename: str
    """Tells the kind of file, and nothing of whose document it is."""
    secret: str
    """Proves where a callback comes from."""
    request_id: UUID
    """By which the job is found if the answer to the upload is lost, where the provider is told it."""


class RemoteParsingClient(ABC, Generic[Session]):
    """Talks to a provider in sessions of one exchange each, each in an event loop and on a connection of its own."""

    def __init__(self, base_url: str, settings: RemoteParsingSettings, called_back: Callable[[str], bool]) -> None:
        self._base_url = base_url.rstrip("/")
        self._settings = settings
        self._called_back = called_back

    def upload(self, upload: Upload, seconds: float) -> str:
        """Upload a document and return the provider's id of the remote job.

        Raises:
            TransientError: timeout.
            IngestError: One of the provider errors of the catalogue.
        """

        async def create(session: Session) -> str:
            remote_id = await self._create(session, upload)
            if not isinstance(remote_id, str) or not REMOTE_ID.fullmatch(remote_id):
                failure = TransientError("service_garbled", name=NAME)
                failure.may_have_cost = True
                raise failure
            return remote_id

        return self._exchange(create, seconds, upload)

    def result(self, remote_id: str, seconds: float, usual: float) -> ParseResult:
        """Wait for the remote job to end and return its result.

        Args:
            remote_id: The provider's id of the job.
            seconds: The longest wait.
            usual: How many seconds such a job usually takes.

        Raises:
            TransientError: timeout.
            IngestError: One of the provider errors of the catalogue.
        """
        return self._exchange(lambda session: self._awaited(session, remote_id, usual), seconds)

    @abstractmethod
    def _connected(self, upload: Upload | None) -> AbstractAsyncContextManager[Session]:
        """Return a session in which a document may be uploaded, if one is given."""

    @abstractmethod
    async def _create(self, session: Session, upload: Upload) -> object:
        """Upload a document and return what the provider says is the id of the remote job."""

    @abstractmethod
    async def _is_done(self, session: Session, remote_id: str) -> bool:
        """Return whether a remote job has a result.

        Raises:
            IngestError: If it has ended without one.
        """

    @abstractmethod
    async def _result_if_there(self, session: Session, remote_id: str) -> ParseResult | None:
        """Return the result of a remote job, if the provider has it."""

    def _exchange(
        self, talk: Callable[[Session], Awaitable[Answer]], seconds: float, upload: Upload | None = None
    ) -> Answer:
        async def exchange() -> Answer:
            async with self._connected(upload) as session, asyncio.timeout(seconds):
                return await talk(session)

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

    async def _awaited(self, session: Session, remote_id: str, usual: float) -> ParseResult:
        trusts_callback = self._settings.callback_url is not None
        for pause in self._settings.looks(usual):
            if not trusts_callback:
                await asyncio.sleep(pause)
            elif await self._is_called_back(remote_id, pause):
                trusts_callback = False  # the provider may call back before the result is there; trust only one call
                result = await self._result_if_there(session, remote_id)
                if result is not None:
                    return result
            if await self._is_done(session, remote_id):
                break
        result = await self._result_if_there(session, remote_id)
        if result is None:
            raise TransientError("service_job_gone", name=NAME)
        return result

    async def _is_called_back(self, remote_id: str, seconds: float) -> bool:
        """Return whether the provider calls back within this time."""
        now = asyncio.get_running_loop().time
        end = now() + seconds
        while not self._called_back(remote_id):
            if now() >= end:
                return False
            await asyncio.sleep(min(seconds, self._settings.callback_pause))
        return True

    def _callback_url(self, name: str, value: str) -> str | None:
        """Return the address for callbacks with one more parameter, if the provider is to call back."""
        url = self._settings.callback_url
        return None if url is None else f"{url}{'&' if '?' in url else '?'}{urlencode({name: value})}"
