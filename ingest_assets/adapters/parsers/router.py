"""The choice of a document's parser: a provider for the types that it reads better, the local one for the rest."""

from typing import Protocol

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.domain.documents.document import Document, ParsedDocument, Producer
from ingest_assets.domain.errors import ResourceError
from ingest_assets.domain.files.file_types import PLAIN_TYPES
from ingest_assets.pipeline.ports.providers import Parser

DOWN = frozenset({"breaker_open"})


class ProviderParser(Parser, Protocol):
    def supports(self, media_type: str) -> bool:
        """Return whether the provider reads this kind of file."""


class ParserRouter:
    """Passes each document to its parser. With `stands_in`, the local parser replaces a provider that is down.

    Each parse names its parser; `ingest refresh` later redoes what the stand-in parsed.
    """

    def __init__(self, provider: ProviderParser, local: LocalParser, *, stands_in: bool) -> None:
        self._provider = provider
        self._local = local
        self._stands_in = stands_in

    def producer_of(self, media_type: str) -> Producer:
        return (
            self._provider.producer_of(media_type)
            if self._is_for_provider(media_type)
            else self._local.producer_of(media_type)
        )

    def costs_nothing(self, media_type: str) -> bool:
        return not self._is_for_provider(media_type)

    def parse(self, content: bytes, document: Document) -> ParsedDocument:
        if not self._is_for_provider(document.media_type):
            return self._local.parse(content, document)
        try:
            return self._provider.parse(content, document)
        except ResourceError as error:
            if error.code not in DOWN or not self._stands_in:
                raise
        return self._local.parse(content, document)

    def _is_for_provider(self, media_type: str) -> bool:
        return media_type not in PLAIN_TYPES and self._provider.supports(media_type)
