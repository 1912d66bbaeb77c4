"""The chunker: large texts are cut in a sealed worker, so that none of them holds this process up."""

from collections.abc import Callable, Sequence

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.domain.documents.document import Chunk, Document, ParsedDocument, Producer
from ingest_assets.domain.errors import TransientError
from ingest_assets.domain.text.chunking import ChunkingSettings, chunk_document, chunks_of

LONGEST_HERE = 1 << 18
"""The longest text that is cut in this process. Ordinary text of this length takes 20 ms, and hostile text a second."""
CODES = {
    "timeout": "chunking_timeout",
    "out_of_memory": "chunking_out_of_memory",
    "parser_crashed": "chunking_crashed",
}
"""What has happened to a worker, said of its present work."""


class LocalChunker:
    def __init__(self, settings: ChunkingSettings, parser: Callable[[], LocalParser]) -> None:
        """Make the chunker.

        Args:
            settings: How to cut.
            parser: Gives the parser in whose workers large texts are cut; called for the first of them.
        """
        self._settings = settings
        self._parser = parser

    @property
    def producer(self) -> Producer:
        return self._settings.chunker

    def chunk(self, document: Document, parsed: ParsedDocument) -> Sequence[Chunk]:
        """Cut a parsed text into chunks.

        Raises:
            TransientError: chunking_timeout, chunking_out_of_memory, chunking_crashed, host_out_of_memory or
                parser_killed.
        """
        if len(parsed.text) <= LONGEST_HERE:
            return chunk_document(document, parsed, self._settings)
        parser = self._parser()
        try:
            cuts = parser.cut(parsed.text, self._settings, parsed.page_starts)
        except TransientError as error:
            if error.code not in CODES:
                raise
            limits = parser.limits
            raise TransientError(CODES[error.code], seconds=limits.seconds, megabytes=limits.memory_mb) from None
        return list(chunks_of(document, parsed, self._settings, cuts))
