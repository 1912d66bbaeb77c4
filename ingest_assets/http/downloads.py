"""A document's original: its bytes, or the address in a bucket where they are to be had for a while."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from threading import BoundedSemaphore
from typing import BinaryIO

from starlette.responses import RedirectResponse, Response, StreamingResponse

from ingest_assets.domain.documents.document import Document
from ingest_assets.domain.documents.download import Download, handed_out, handed_out_elsewhere
from ingest_assets.pipeline.ports.object_store import ObjectStore
from ingest_assets.pipeline.stored_objects import content_key

LARGE = 512 * 1024
LARGE_IN_MEMORY = 2
"""How many contents that are large are in memory at a time: others wait on disk for whoever reads them slowly."""
PART_BYTES = 64 * 1024
SEALED = {"Content-Security-Policy": "default-src 'none'; sandbox", "Referrer-Policy": "no-referrer"}
"""Whatever a browser makes of the bytes, nothing in them runs, and nobody is told where they came from."""


class Downloads:
    """Hands out originals.

    Args:
        objects: Where they are stored.
        folder: Where those wait that are read slowly, in files without a name.
        seconds: How long an address in a bucket is good for; 0 if none is to be given.
    """

    def __init__(self, objects: ObjectStore, folder: Path, seconds: int) -> None:
        self._objects = objects
        self._folder = folder
        self._seconds = seconds
        self._large = BoundedSemaphore(LARGE_IN_MEMORY)

    def answer(self, document: Document) -> Response:
        """Return the answer to whoever may read the document.

        Raises:
            PermanentError: content_missing or object_tampered.
            OutageError: storage_failed, master_key_missing or master_key_wrong.
        """
        if self._seconds > 0:
            address = self._objects.address(content_key(document), handed_out_elsewhere(document, self._seconds))
            if address is not None:
                return RedirectResponse(address, headers=SEALED)
        return self._bytes_of(document, handed_out(document))

    def _bytes_of(self, document: Document, said: Download) -> Response:
        headers = {**SEALED, "Content-Disposition": said.disposition, "Content-Type": said.media_type}
        if document.byte_size <= LARGE:
            return Response(self._objects.get(content_key(document)), headers=headers)
        with self._large:
            kept = TemporaryFile(dir=self._folder)  # noqa: SIM115  it is closed when it has been read
            headers["Content-Length"] = str(kept.write(self._objects.get(content_key(document))))
        kept.seek(0)
        return StreamingResponse(_parts(kept), headers=headers)


def _parts(content: BinaryIO) -> Iterator[bytes]:
    with content:
        while part := content.read(PART_BYTES):
            yield part
