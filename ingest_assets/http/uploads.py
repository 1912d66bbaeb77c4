"""The file in a request: the body itself, or the first file of a form.

A body arrives on disk, so that a slow sender costs no memory. Only a few large ones are in memory at a time.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, TypeVar
from weakref import WeakValueDictionary

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import ResourceError
from ingest_assets.http.body_limits import announced_length
from ingest_assets.http.problems import RETRY_SECONDS, RefusalError

Result = TypeVar("Result")
LARGE = 512 * 1024
LARGE_IN_MEMORY = 2


class Uploads:
    """Admits bodies by their bytes: so many of the largest size at a time, or more smaller ones.

    Everything happens in the event loop's thread, so nothing is locked.
    """

    def __init__(self, folder: Path, *, largest: int, at_once: int, at_once_per_user: int) -> None:
        """Keep arriving bodies in this folder, in files without a name that nobody else can open."""
        self._folder = folder
        self._largest = largest
        self._most = at_once * largest
        self._most_per_user = at_once_per_user * largest
        self._in_flight: Counter[UserId] = Counter()
        # Threads of their own, because the memory that a thread has used stays with it.
        self._large = ThreadPoolExecutor(LARGE_IN_MEMORY, thread_name_prefix="large upload")
        self._turns: WeakValueDictionary[UserId, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def receive(self, request: Request, user: UserId) -> AsyncIterator[BinaryIO]:
        """Give the whole body as a file.

        Raises:
            RefusalError: uploads_of_user_full, uploads_full.
            BodyRefused: too_large, request_timeout.
        """
        announced = announced_length(request.headers)
        size = self._largest if announced is None else min(announced, self._largest)
        with self._admitted(user, size), TemporaryFile(dir=self._folder) as body:
            async for part in request.stream():
                await run_in_threadpool(body.write, part)
            yield body

    async def work(self, body: BinaryIO, user: UserId, work: Callable[[BinaryIO], Result]) -> Result:
        """Return what `work` makes of the body, from its start; large ones wait for their turn.

        A user's intake runs one at a time anyway, so no user's large ones take more than one of the threads.
        """
        size = body.tell()
        body.seek(0)
        if size <= LARGE:
            return await run_in_threadpool(work, body)
        async with self._turns.setdefault(user, asyncio.Lock()):
            return await asyncio.get_running_loop().run_in_executor(self._large, work, body)

    def close(self) -> None:
        """Finish the large ones that are being worked on."""
        self._large.shutdown(cancel_futures=True)

    @contextmanager
    def _admitted(self, user: UserId, size: int) -> Iterator[None]:
        if self._in_flight[user] + size > self._most_per_user:
            raise RefusalError(ResourceError("uploads_of_user_full"), {"Retry-After": str(RETRY_SECONDS)})
        if self._in_flight.total() + size > self._most:
            raise RefusalError(ResourceError("uploads_full"), {})
        self._in_flight[user] += size
        try:
            yield
        finally:
            self._in_flight[user] -= size
            if not self._in_flight[user]:
                del self._in_flight[user]
