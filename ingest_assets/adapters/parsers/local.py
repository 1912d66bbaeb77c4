"""The local parser: xberg and pdfium, in workers in which a hostile file can hurt no other process."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version

from ingest_assets.adapters.parsers.pool import WorkerPool
from ingest_assets.adapters.parsers.replies import Reply
from ingest_assets.adapters.parsers.sandbox import Worker
from ingest_assets.adapters.parsers.sealed.limits import ParserLimits
from ingest_assets.adapters.parsers.sealed.seals import Seal
from ingest_assets.domain.documents.document import Document, ParsedDocument, Producer
from ingest_assets.domain.documents.warnings import WarningKind
from ingest_assets.domain.errors import PermanentError, ResourceError, TransientError
from ingest_assets.domain.files.file_types import PLAIN_TYPES, FileType
from ingest_assets.domain.queue.jobs import LIGHT_BYTES
from ingest_assets.domain.text.chunking import ChunkingSettings, Cut
from ingest_assets.domain.text.embedded_data import without_embedded_data
from ingest_assets.domain.text.normalisation import decode_normal, has_words

__all__ = ["LocalParser", "ParserLimits"]

REVISION = 3
"""The revision of this package's own work around xberg; raise it when the same file would give another text."""
SHORT_TRY_SECONDS = 10.0
"""How long a document gets whose size does not tell that it is slow; it then waits for its turn among slow ones."""

SCANNED_TYPES = {FileType.PDF, *(kind for kind in FileType if kind.is_picture)}
OWN_LIMITS = {"timeout", "out_of_memory", "parser_crashed"}
"""What becomes of a worker by the document that it has: the text that is there is kept without what it has not read."""


class LocalParser:
    """The local parser. Any number of threads may call it; `limits.workers` documents are parsed at once.

    Text is recognised in workers of its own, for `limits.recognisers` documents at once: it takes a second a page, for
    which documents that have their text must not wait.
    """

    def __init__(self, limits: ParserLimits | None = None) -> None:
        self.producer = Producer("local", f"{version('xberg')}+{REVISION}")
        self.limits = limits or ParserLimits()
        self._pool = WorkerPool(replace(self.limits, ocr_folder=""))
        self._recognising_pool = None
        if self.limits.ocr_folder:
            self._recognising_pool = WorkerPool(replace(self.limits, workers=self.limits.recognisers))

    def producer_of(self, media_type: str) -> Producer:
        """Return the tool for a type; for what may be scanned, its version names the languages that are recognised."""
        if self._recognising_pool is None or media_type not in SCANNED_TYPES:
            return self.producer
        return Producer(self.producer.name, f"{self.producer.version}.{'+'.join(self.limits.ocr_languages)}")

    def costs_nothing(self, media_type: str) -> bool:  # noqa: ARG002  it reads every type locally
        return True

    def parse(self, content: bytes, document: Document) -> ParsedDocument:
        """Parse a document.

        Raises:
            PermanentError: encrypted, corrupt, needs_ocr, empty_output, too_many_pages, bomb or unsupported.
            ResourceError: parsing_slow or recognition_slow, if the document may only have a short try and needs more.
            TransientError: timeout, out_of_memory, host_out_of_memory, parser_killed or parser_crashed.
        """
        if document.media_type in PLAIN_TYPES:
            return ParsedDocument(_plain_text(content), (), self.producer)
        if document.media_type not in set(FileType):
            raise PermanentError("unsupported")
        reply = self._read(content, document)
        producer = self.producer_of(document.media_type)
        return ParsedDocument(reply.text, reply.page_starts, producer, reply.warnings, reply.attachments)

    def _read(self, content: bytes, document: Document) -> Reply:
        """Have the text read that is there, and only then the rest recognised, if there is more to a page."""
        try:
            with self._pool.borrow(heavy=len(content) > LIGHT_BYTES) as worker:
                reply = self._ask(worker, content, document)
        except PermanentError as error:
            if error.code != "needs_ocr" or self._recognising_pool is None:
                raise
            return self._recognise(self._recognising_pool, content, document)
        if not reply.warnings.get(WarningKind.PAGES_WITHOUT_TEXT) or self._recognising_pool is None:
            return reply
        try:
            return self._recognise(self._recognising_pool, content, document)
        except TransientError as error:
            if error.code not in OWN_LIMITS:
                raise
            return reply

    @staticmethod
    def _recognise(pool: WorkerPool, content: bytes, document: Document) -> Reply:
        if document.is_tried_shortly or not document.may_be_recognised:
            raise ResourceError("recognition_slow")
        with pool.borrow() as worker:
            return worker.ask(content, document.media_type)

    def _ask(self, worker: Worker, content: bytes, document: Document) -> Reply:
        if not document.is_tried_shortly or self.limits.seconds <= SHORT_TRY_SECONDS:
            return worker.ask(content, document.media_type)
        try:
            return worker.ask(content, document.media_type, SHORT_TRY_SECONDS)
        except TransientError as error:
            if error.code != "timeout":
                raise
        raise ResourceError("parsing_slow", seconds=SHORT_TRY_SECONDS)

    def cut(self, text: str, settings: ChunkingSettings, page_starts: Sequence[int]) -> list[Cut]:
        """Return where the chunks of a text are.

        Raises:
            TransientError: timeout, out_of_memory, host_out_of_memory, parser_killed or parser_crashed.
        """
        with self._pool.borrow(heavy=len(text) > LIGHT_BYTES) as worker:
            return worker.cut(text, settings, page_starts)

    def count_pages(self, content: bytes) -> int | None:
        """Return the number of pages of a PDF without reading them, or None if it cannot be opened."""
        try:
            with self._pool.borrow(heavy=len(content) > LIGHT_BYTES) as worker:
                return worker.count_pages(content) or None
        except TransientError:
            return None

    def seals(self) -> dict[str, bool]:
        """Return, for each way to keep a worker from the rest of the system, whether this system has it.

        Raises:
            TransientError: timeout, out_of_memory, host_out_of_memory, parser_killed or parser_crashed.
        """
        with self._pool.borrow() as worker:
            worker.count_pages(b"")
            return {seal.value: seal in worker.seals for seal in Seal}

    def close(self) -> None:
        self._pool.close()
        if self._recognising_pool is not None:
            self._recognising_pool.close()


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
