"""Parse: turn bytes into Markdown. A stored parse is neither made nor paid for again."""

from collections import Counter
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import ClassVar

from ingest_assets.domain.documents.document import Document, DocumentId, ParsedDocument, StoredParse
from ingest_assets.domain.documents.warnings import WarningKind, counted
from ingest_assets.domain.errors import PermanentError, ResourceError
from ingest_assets.domain.files.file_types import FileType
from ingest_assets.domain.queue.changes import Change
from ingest_assets.domain.queue.jobs import Job, Payload
from ingest_assets.domain.queue.lanes import Lane
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.domain.text.normalisation import has_words
from ingest_assets.pipeline.attachments import Attachments
from ingest_assets.pipeline.ports.object_store import ObjectStore
from ingest_assets.pipeline.ports.providers import Parser
from ingest_assets.pipeline.ports.reading import Documents
from ingest_assets.pipeline.steps.step import Step
from ingest_assets.pipeline.stored_objects import content_key, parse_key, remove_if_deleted

WORDLESS = ("needs_ocr", "empty_output")
"""What is wrong with a picture that shows no words, such as a photograph."""


@dataclass(frozen=True, kw_only=True)
class Parse(Step[ParsedDocument]):
    asset: ClassVar = "parsed_markdown"
    reads: ClassVar = ()
    enters: ClassVar = Stage.JOB_VALIDATED
    leaves: ClassVar = Stage.PARSE_VALIDATED

    documents: Documents
    objects: ObjectStore
    parser: Parser
    attachments: Attachments

    def place(self, job: Job) -> Lane | None:
        if job.lane is Lane.OCR and not self._is_parsed(job.document):  # the local parser may stand in for a paid one
            return Lane.OCR
        return Lane.PARSE if self.is_paid(job) else None

    def is_paid(self, job: Job) -> bool:
        document = job.document
        return not (self.parser.costs_nothing(document.media_type) or self._is_parsed(document))

    def run(self, job: Job) -> ParsedDocument:
        """Return the stored parse if the present parser made it, or a new one.

        Raises:
            IngestError: As the parser.
            PermanentError: content_missing, object_tampered or empty_output.
            ResourceError: claim_lost.
        """
        document = job.document
        content = _verified(self.objects.get(content_key(document)), document.content_sha)
        self.enter(job, Stage.JOB_VALIDATED, Stage.PARSING)
        stored = self._stored(document)
        if stored is not None:
            return stored
        try:
            return self._parsed(content, document)
        except PermanentError as error:
            if error.code not in WORDLESS or not self._is_attached_picture(document):
                raise
        return self._named(document)

    def store(self, job: Job, parsed: ParsedDocument) -> Payload:
        parsed = self._with_attachments_taken_in(job, parsed)
        text = parsed.text.encode()
        text_sha = sha256(text).hexdigest()
        self.objects.put(parse_key(job.document, text_sha), text)
        moves = (self.moved(Stage.PARSED), self.moved(Stage.PARSE_VALIDATED, _describe(parsed, text_sha)))
        parse = StoredParse(text_sha, parsed.page_starts, parsed.parser, parsed.warnings)
        try:
            return self.progress.write(Change(job, moves, parse=parse, is_paid=self.is_paid(job)))
        except ResourceError:
            remove_if_deleted(job.document, self.documents, self.objects)
            raise

    def load(self, document_id: DocumentId) -> ParsedDocument:
        document = self.documents.find(document_id)
        if document is None:
            raise PermanentError("unknown_document")
        if document.parse is None:
            raise PermanentError("upstream_missing")
        return self._read(document, document.parse)

    def _with_attachments_taken_in(self, job: Job, parsed: ParsedDocument) -> ParsedDocument:
        """Return the parse, whose warnings count the attachments that were skipped.

        This comes before the parse is stored, so that no attachment is forgotten if the worker ends in between.
        """
        if parsed.attachments is None or not (parsed.attachments or job.document.version > 1):
            return parsed
        skipped = self.attachments.take_in(job, parsed.attachments)
        counts = Counter(parsed.warnings)
        counts[WarningKind.ATTACHMENTS_SKIPPED] += skipped
        return replace(parsed, warnings=counted(counts))

    def _parsed(self, content: bytes, document: Document) -> ParsedDocument:
        parsed = self.parser.parse(content, document)
        if not parsed.text or parsed.text.isspace():
            raise PermanentError("empty_output")
        return parsed

    def _is_attached_picture(self, document: Document) -> bool:
        is_picture = any(kind.is_picture for kind in FileType if kind == document.media_type)
        return is_picture and self.attachments.is_one(document.document_id)

    def _named(self, document: Document) -> ParsedDocument:
        """Return the name of a picture without words as its text: nothing else is known of a photograph."""
        name = document.title if has_words(document.title) else document.filename
        warnings = {WarningKind.PICTURES_WITHOUT_TEXT: 1}
        return ParsedDocument(name, (), self.parser.producer_of(document.media_type), warnings)

    def _is_parsed(self, document: Document) -> bool:
        """Return whether the present parser has made the document's parse."""
        return document.parse is not None and document.parse.parser == self.parser.producer_of(document.media_type)

    def _stored(self, document: Document) -> ParsedDocument | None:
        """Return the stored parse, or None if another parser made it or its text is gone or damaged."""
        if document.parse is None or not self._is_parsed(document):
            return None
        try:
            return self._read(document, document.parse)
        except PermanentError as error:
            if error.code not in ("content_missing", "object_tampered"):
                raise
            return None

    def _read(self, document: Document, parse: StoredParse) -> ParsedDocument:
        text = _verified(self.objects.get(parse_key(document, parse.parsed_sha)), parse.parsed_sha)
        return ParsedDocument(text.decode(), parse.page_starts, parse.parser, parse.warnings, None)


def _describe(parsed: ParsedDocument, text_sha: str) -> Payload:
    return {
        "characters": len(parsed.text),
        "pages": len(parsed.page_starts),
        "text_sha": text_sha,
        "parser": parsed.parser.name,
        "parser_version": parsed.parser.version,
        "attachments": len(parsed.attachments or ()),
        "warnings": sum(parsed.warnings.values()),
        **{kind.value: count for kind, count in parsed.warnings.items()},
    }


def _verified(content: bytes, sha: str) -> bytes:
    if sha256(content).hexdigest() != sha:
        raise PermanentError("content_missing")
    return content
