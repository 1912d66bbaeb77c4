"""A document's original: its bytes, or the address in a bucket where they are to be had for a while."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from ingest_assets.domain.documents.document import Document, UserId
from ingest_assets.domain.documents.download import Download, handed_out, handed_out_elsewhere
from ingest_assets.domain.errors import ResourceError
from ingest_assets.http.problems import RETRY_SECONDS, RefusalError
from ingest_assets.http.uploads import LARGE, LARGE_IN_MEMORY
from ingest_assets.pipeline.ports.object_store import ObjectStore
from ingest_assets.pipeline.stored_objects import content_key

PART_BYTES = 64 * 1024
SEALED = {"Content-Security-Policy": "default-src 'none'; sandbox", "Referrer-Policy": "no-referrer"}
"""Whatever a browser makes of the bytes, nothing in them runs, and nobody is told where they came from."""


@dataclass(frozen=True, slots=True)
class DownloadLimits:
    """How many originals are being read at a time; addresses in a bucket do not count."""

    at_once: int
    at_once_per_user: int


class Downloads:
    """Hands out originals. What is read slowly waits on disk, and each user may read only a few at a time.

    Everything but the reading happens in the event loop's thread, so nothing is locked.

    Args:
        objects: Where they are stored.
        folder: Where those wait that are read slowly, in files without a name.
        seconds: How long an address in a bucket is good for; 0 if none is to be given.
        limits: How many may be under way.
    """

    def __init__(self, objects: ObjectStore, folder: Path, seconds: int, limits: DownloadLimits) -> None:
        self._objects = objects
        self._folder = folder
        self._seconds = seconds
        self._limits = limits
        self._under_way: Counter[UserId] = Counter()
        # Threads of their own, so that many large ones hold up no other request.
        self._large = ThreadPoolExecutor(LARGE_IN_MEMORY, thread_name_prefix="large download")

    async def answer(self, document: Document) -> Response:
        """Return the answer to whoever may read the document.

        Raises:
            PermanentError: content_missing or object_tampered.
            OutageError: storage_failed, master_key_missing or master_key_wrong.
            RefusalError: downloads_of_user_full, downloads_full.
        """
        if self._seconds > 0:
            said = handed_out_elsewhere(document, self._seconds)
            address = await run_in_threadpool(self._objects.address, content_key(document), said)
            if address is not None:
                return RedirectResponse(address, headers=SEALED)
        return await self._bytes_of(document)

    def close(self) -> None:
        """Finish the large ones that are being fetched."""
        self._large.shutdown(cancel_futures=True)

    async def _bytes_of(self, document: Document) -> Response:
        self._admit(document.user_id)
        ended = partial(self._end, document.user_id)
        headers = _headers_of(handed_out(document))
        try:
            if document.byte_size <= LARGE:
                content = await run_in_threadpool(self._objects.get, content_key(document))
                return _Ending(content, headers=headers, ended=ended)
            kept = await asyncio.get_running_loop().run_in_executor(self._large, self._on_disk, document)
        except BaseException:
            ended()
            raise
        headers["Content-Length"] = str(document.byte_size)
        return _Parts(_parts(kept), headers=headers, ended=lambda: (kept.close(), ended()))

    def _admit(self, user: UserId) -> None:
        if self._under_way[user] >= self._limits.at_once_per_user:
            raise RefusalError(ResourceError("downloads_of_user_full"), {"Retry-After": str(RETRY_SECONDS)})
        if self._under_way.total() >= self._limits.at_once:
            raise RefusalError(ResourceError("downloads_full"), {})
        self._under_way[user] += 1

    def _end(self, user: UserId) -> None:
        self._under_way[user] -= 1
        if not self._under_way[user]:
            del self._under_way[user]

    def _on_disk(self, document: Document) -> BinaryIO:
        kept = TemporaryFile(dir=self._folder)  # noqa: SIM115  it is closed when it has been read
        try:
            kept.write(self._objects.get(content_key(document)))
        except BaseException:
            kept.close()
            raise
        kept.seek(0)
        return kept


class _Ending(Response):
    """Tells when it has been sent, or nobody wants it any more."""

    def __init__(self, *content: Any, ended: Callable[[], object], **said: Any) -> None:
        super().__init__(*content, **said)
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._ended()


class _Parts(_Ending, StreamingResponse):
    pass


def _headers_of(said: Download) -> dict[str, str]:
    return {**SEALED, "Content-Disposition": said.disposition, "Content-Type": said.media_type}


def _parts(content: BinaryIO) -> Iterator[bytes]:
    while part := content.read(PART_BYTES):
        yield part
