"""Routes that submit, follow and delete documents."""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any, BinaryIO
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response

from ingest_assets.domain.documents.document import HIGHEST_PRIORITY, LOWEST_PRIORITY, Acceptance, DocumentId
from ingest_assets.domain.documents.listing import Listing
from ingest_assets.domain.documents.metadata import MOST_KEYS, Metadata, check_changes, parse_assignments
from ingest_assets.domain.errors import CATALOGUE, PermanentError
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.domain.queue.stages import State
from ingest_assets.domain.text.normalisation import normalise
from ingest_assets.http.bodies import (
    LONGEST_CONDITION,
    AttachmentStatus,
    Description,
    DescriptionChange,
    DocumentPage,
    DocumentStatus,
    HistoryEvent,
    ListedDocumentStatus,
    Submission,
)
from ingest_assets.http.dependencies import Acting, Caller, OwnDocument, Service
from ingest_assets.http.forms import upload_of
from ingest_assets.http.ports import HttpService
from ingest_assets.http.problems import problems
from ingest_assets.pipeline.intake import IncomingFile

LARGEST_PAGE = 200
JSON = {"type": "string", "description": "A JSON object: what is known about the document."}
BINARY = {"type": "string", "format": "binary"}
FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file itself (curl --data-binary @FILE), or a form that contains it (curl -F file=@FILE).",
        "content": {
            "application/octet-stream": {"schema": BINARY},
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"file": BINARY, "metadata": JSON}, "required": ["file"]}
            },
        },
    }
}

Filename = Annotated[
    str | None, Query(max_length=1000, description="The file's name, unless a form or Content-Disposition gives it.")
]
Source = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=1000,
        description="Where the file came from. Other content from the same source becomes a new version of its "
        "document. By default, each content is a separate document.",
    ),
]
Priority = Annotated[
    int,
    Query(
        ge=LOWEST_PRIORITY,
        le=HIGHEST_PRIORITY,
        description="Among your own documents, those with a higher priority go first.",
    ),
]
KnownMetadata = Annotated[
    Sequence[Annotated[str, Query(max_length=LONGEST_CONDITION, json_schema_extra={"pattern": "^[a-z]+=[^ ]+$"})]],
    Query(
        max_length=MOST_KEYS,
        description="What is known about the document, as key=value; the parameter may be given often. `date` is a day "
        "(2024-07-03); `claim_number`, `policy_number` and `line_of_business` are well known; other keys are free.",
    ),
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        description="The same key with the same content gives the same answer for at least a day.",
    ),
]

StateFilter = Annotated[State | None, Query(description="Only documents in this state.")]
CodeFilter = Annotated[str | None, Query(max_length=64, description="Only documents that failed with this code.")]
NameFilter = Annotated[
    str | None, Query(max_length=200, description="Only documents whose file name contains this, in any case.")
]
SinceFilter = Annotated[
    datetime | None, Query(description="Only documents that came or changed since then; UTC unless it says otherwise.")
]
WarningsFilter = Annotated[bool, Query(description="Only documents of which something could not be read.")]
After = Annotated[UUID | None, Query(description="The `next` of the page before.")]
PageLimit = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="The most documents to return.")]

router = APIRouter(prefix="/v1/documents", tags=["documents"])


@router.post("", status_code=202, openapi_extra=FILE, responses=problems(401, 408, 409, 413, 415, 422, 429, 503))
async def submit_document(
    request: Request,
    response: Response,
    service: Service,
    caller: Caller,
    actor: Acting,
    filename: Filename = None,
    source: Source = None,
    priority: Priority = 0,
    metadata: KnownMetadata = (),
    idempotency_key: IdempotencyKey = None,
) -> Submission:
    """Accept a file of up to 25 MB and queue it. A file that is already there makes no work."""
    known = parse_assignments(metadata)

    def take_in(body: BinaryIO) -> Acceptance:
        upload = upload_of(request.headers, body, filename)
        origin = normalise(source or "") or f"http:{sha256(upload.content).hexdigest()}"
        file = IncomingFile(upload.content, upload.filename, origin, caller, priority)
        return _accept_once(service, file, actor, idempotency_key, {**known, **upload.metadata})

    async with service.uploads.receive(request, caller) as body:
        accepted = await service.uploads.work(body, caller, take_in)
    response.headers["Location"] = f"{router.prefix}/{accepted.document_id}"
    return Submission.of(accepted)


@router.get("", responses=problems(401, 404, 422, 429, 503))
def list_documents(
    service: Service,
    caller: Caller,
    state: StateFilter = None,
    code: CodeFilter = None,
    name: NameFilter = None,
    since: SinceFilter = None,
    limit: PageLimit = 100,
    after: After = None,
    *,
    warnings: WarningsFilter = False,
) -> DocumentPage:
    """Return the caller's documents, newest first, with where they stand and what of them could not be read."""
    if code is not None and code not in CATALOGUE:
        raise PermanentError("invalid_request", what="there is no such code.")
    wanted = Listing(
        state=state,
        code=code,
        name=None if name is None else normalise(name),
        since=None if since is None else since.replace(tzinfo=since.tzinfo or UTC),
        with_warnings=warnings,
        limit=limit + 1,
        after=None if after is None else DocumentId(after),
    )
    found = service.documents_of(caller).listed(wanted)
    page = [ListedDocumentStatus.of(document) for document in found[:limit]]
    return DocumentPage(documents=page, next=page[-1].document_id if len(found) > limit else None)


@router.get("/{document_id}", responses=problems(401, 404, 422, 429, 503))
def document_status(document: OwnDocument, service: Service) -> DocumentStatus:
    """Return where a document stands, and why it failed if it did."""
    status = service.documents_of(document.user_id).status(document.document_id)
    if status is None:
        raise PermanentError("unknown_document")
    known = service.documents_of(document.user_id).metadata(document.document_id)
    return DocumentStatus.of(document, status, known or {})


@router.get(
    "/{document_id}/content",
    response_class=Response,
    responses={
        200: {"description": "The document's bytes.", "content": {"*/*": {"schema": BINARY}}},
        307: {"description": "Where the bytes are, for a short while; whoever has the address needs no token."},
        **problems(401, 404, 422, 429, 502, 503),
    },
)
async def document_content(document: OwnDocument, service: Service) -> Response:
    """Return a document as it was submitted, to be saved; from a bucket, by a redirect to a short-lived address."""
    return await service.downloads.answer(document)


@router.patch("/{document_id}", responses=problems(401, 404, 413, 422, 429, 503))
def describe_document(change: DescriptionChange, document: OwnDocument, service: Service) -> Description:
    """Change what is known about a document besides its text. Searches know it at once; nothing is embedded again."""
    service.intake.records.describe(document.user_id, {document.document_id: check_changes(change.metadata)})
    return Description(metadata=service.documents_of(document.user_id).metadata(document.document_id) or {})


@router.get("/{document_id}/events", responses=problems(401, 404, 422, 429, 503))
def document_events(document: OwnDocument, service: Service) -> list[HistoryEvent]:
    """Return everything that happened to a document, oldest first."""
    history = service.documents_of(document.user_id).history(document.document_id)
    return [HistoryEvent.of(event) for event in history]


@router.get("/{document_id}/attachments", responses=problems(401, 404, 422, 429, 503))
def document_attachments(document: OwnDocument, service: Service) -> list[AttachmentStatus]:
    """Return what became of the files within a document, such as a mail's attachments."""
    found = service.documents_of(document.user_id).attachments(document.document_id)
    return [AttachmentStatus.of(attachment) for attachment in found]


@router.delete("/{document_id}", status_code=204, responses=problems(401, 404, 422, 429, 503))
def remove_document(document_id: UUID, service: Service, caller: Caller, actor: Acting) -> None:
    """Delete a document and everything made of it. Its history stays, without content. It is safe to repeat."""
    service.deletion.delete(DocumentId(document_id), actor, owner=caller)


def _accept_once(
    service: HttpService, file: IncomingFile, actor: Actor, key: str | None, metadata: Metadata
) -> Acceptance:
    if key is None:
        return _accept(service, file, actor, metadata)
    answered = service.idempotency_keys.reserve(file.user_id, key, sha256(file.content).hexdigest())
    if answered is not None:
        return answered
    return service.idempotency_keys.record(file.user_id, key, _accept(service, file, actor, metadata))


def _accept(service: HttpService, file: IncomingFile, actor: Actor, metadata: Metadata) -> Acceptance:
    accepted = service.intake.receive(file, actor)
    if metadata:
        service.intake.records.describe(file.user_id, {accepted.document_id: metadata})
    return accepted
