"""The local parser: xberg and pdfium, in workers in which a hostile file can hurt no other process."""

from importlib.metadata import version

from ingest_assets.adapters.parsers.pool import WorkerPool
from ingest_assets.adapters.parsers.sealed.limits import ParserLimits
from ingest_assets.domain.documents.document import Document, ParsedDocument, Producer
from ingest_assets.domain.errors import PermanentError, TransientError
from ingest_assets.domain.files.file_types import PLAIN_TYPES, FileType
from ingest_assets.domain.text.embedded_data import without_embedded_data
from ingest_assets.domain.text.normalisation import decode_normal, has_words

__all__ = ["LocalParser", "ParserLimits"]

REVISION = 1
"""The revision of this package's own work around xberg; raise it when the same file would give another text."""


class LocalParser:
    """The local parser. Any number of threads may call it; `limits.workers` documents are parsed at once."""

    def __init__(self, limits: ParserLimits | None = None) -> None:
        self.producer = Producer("local", f"{version('xberg')}+{REVISION}")
        self._pool = WorkerPool(limits or ParserLimits())

    def producer_of(self, media_type: str) -> Producer:  # noqa: ARG002  the same tool for every type
        return self.producer

    def costs_nothing(self, media_type: str) -> bool:  # noqa: ARG002  it reads every type locally
        return True

    def parse(self, content: bytes, document: Document) -> ParsedDocument:
        """Parse a document.

        Raises:
            PermanentError: encrypted, corrupt, needs_ocr, empty_output, too_many_pages, bomb or unsupported.
            TransientError: timeout, out_of_memory or parser_crashed.
        """
        if document.media_type in PLAIN_TYPES:
            return ParsedDocument(_plain_text(content), (), self.producer)
        if document.media_type not in set(FileType):
            raise PermanentError("unsupported")
        with self._pool.borrow() as worker:
            reply = worker.ask(content, document.media_type)
        return ParsedDocument(reply.text, reply.page_starts, self.producer)

    def count_pages(self, content: bytes) -> int | None:
        """Return the number of pages of a PDF without reading them, or None if it cannot be opened."""
        try:
            with self._pool.borrow() as worker:
                return worker.count_pages(content) or None
        except TransientError:
            return None

    def is_sealed(self) -> bool:
        """Return whether workers on this machine can open no file, socket or process.

        Raises:
            TransientError: timeout, out_of_memory or parser_crashed.
        """
        with self._pool.borrow() as worker:
            worker.count_pages(b"")
            return worker.sealed

    def close(self) -> None:
        self._pool.close()


def _plain_text(content: bytes) -> str:
    """Return the text of a file that needs no parser.

    No worker is needed: decoding and normalising are linear, and make up the whole cost of most documents.

    Raises:
        PermanentError: unsupported or empty_output.
    """
    normal = decode_normal(content)
    if normal is None:
        raise PermanentError("unsupported")
    text = without_embedded_data(normal)
    if not has_words(text):
        raise PermanentError("empty_output")
    return text
