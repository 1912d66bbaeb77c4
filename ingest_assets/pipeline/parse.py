"""Bytes become Markdown; a parse that is already stored is not made, or paid for, again."""

from hashlib import sha256

from ingest_assets.domain.documents.document import Document, ParsedDocument, StoredParse
from ingest_assets.domain.errors import PermanentError, ResourceError
from ingest_assets.domain.queue.jobs import Job, Payload
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.pipeline.intake import content_key, folder_key, parse_key
from ingest_assets.pipeline.ports.documents import Documents
from ingest_assets.pipeline.ports.object_store import ObjectStore
from ingest_assets.pipeline.ports.providers import Parser
from ingest_assets.pipeline.ports.queue import Jobs


def parse_document(
    job: Job, *, jobs: Jobs, documents: Documents, objects: ObjectStore, parser: Parser
) -> ParsedDocument:
    """Raises the catalogue's parsing errors, PermanentError content_missing, ResourceError claim_lost."""
    content = read_content(job.document, objects)
    jobs.advance(job, Stage.JOB_VALIDATED, Stage.PARSING)
    stored = documents.stored_parse(job.document)
    if stored is not None and stored.parser == parser.producer_of(job.document.media_type):
        return read_parse(job.document, stored, objects)
    parsed = parser.parse(content, job.document)
    if not parsed.text or parsed.text.isspace():
        raise PermanentError("empty_output")
    return parsed


def store_parse(job: Job, parsed: ParsedDocument, *, documents: Documents, objects: ObjectStore) -> Payload:
    """Raises ResourceError claim_lost; of a document that was deleted meanwhile nothing is left behind."""
    document = job.document
    objects.put(parse_key(document, parsed.text_sha), parsed.text.encode())
    parse = StoredParse(parsed.text_sha, parsed.page_starts, parsed.parser)
    try:
        return documents.save_parse(job, parse, describe_parse(parsed))
    except ResourceError:
        if documents.find(document.document_id) is None:
            objects.delete_below(folder_key(document.user_id, document.document_id))
        raise


def load_parse(document: Document, *, documents: Documents, objects: ObjectStore) -> ParsedDocument:
    """The stored parse of the document's newest version. Raises PermanentError upstream_missing, content_missing."""
    stored = documents.stored_parse(document)
    if stored is None:
        raise PermanentError("upstream_missing")
    return read_parse(document, stored, objects)


def read_content(document: Document, objects: ObjectStore) -> bytes:
    content = objects.get(content_key(document.user_id, document.document_id, document.content_sha))
    return _verified(content, document.content_sha)


def read_parse(document: Document, stored: StoredParse, objects: ObjectStore) -> ParsedDocument:
    content = _verified(objects.get(parse_key(document, stored.parsed_sha)), stored.parsed_sha)
    return ParsedDocument(content.decode(), stored.page_starts, stored.parser)


def describe_parse(parsed: ParsedDocument) -> Payload:
    return {
        "characters": len(parsed.text),
        "pages": len(parsed.page_starts),
        "text_sha": parsed.text_sha,
        "parser": parsed.parser.name,
        "parser_version": parsed.parser.version,
    }


def _verified(content: bytes, sha: str) -> bytes:
    if sha256(content).hexdigest() != sha:
        raise PermanentError("content_missing")
    return content
