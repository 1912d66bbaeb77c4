"""Routes that submit, follow and delete documents."""

from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from ingest_assets.domain.documents.document import HIGHEST_PRIORITY, LOWEST_PRIORITY, Acceptance, DocumentId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.domain.text.normalisation import normalise
from ingest_assets.http.bodies import DocumentStatus, HistoryEvent, Submission
from ingest_assets.http.dependencies import Acting, Caller, OwnDocument, Service
from ingest_assets.http.ports import HttpService
from ingest_assets.http.problems import problems
from ingest_assets.http.uploads import upload_of
from ingest_assets.pipeline.intake import IncomingFile

BINARY = {"type": "string", "format": "binary"}
FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file itself (curl --data-binary @FILE), or a form that contains it (curl -F file=@FILE).",
        "content": {
            "application/octet-stream": {"schema": BINARY},
            "multipart/form-data": {"schema": {"type": "object", "properties": {"file": BINARY}, "required": ["file"]}},
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
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        description="The same key with the same content gives the same answer for at least a day.",
    ),
]

router = APIRouter(prefix="/v1/documents", tags=["documents"])


async def _body(request: Request, caller: Caller) -> bytes:
    """Return the body, which is read only after the caller is known."""
    del caller
    return await request.body()


@router.post("", status_code=202, openapi_extra=FILE, responses=problems(401, 408, 409, 413, 415, 422, 429, 503))
def submit_document(
    request: Request,
    response: Response,
    service: Service,
    caller: Caller,
    actor: Acting,
    body: Annotated[bytes, Depends(_body)],
    filename: Filename = None,
    source: Source = None,
    priority: Priority = 0,
    idempotency_key: IdempotencyKey = None,
) -> Submission:
    """Accept a file of up to 25 MB and queue it. A file that is already there makes no work."""
    upload = upload_of(request.headers, body, filename)
    source = normalise(source or "") or f"http:{sha256(upload.content).hexdigest()}"
    file = IncomingFile(upload.content, upload.filename, source, caller, priority)
    accepted = _accept_once(service, file, actor, idempotency_key)
    response.headers["Location"] = f"{router.prefix}/{accepted.document_id}"
    return Submission.of(accepted)


@router.get("/{document_id}", responses=problems(401, 404, 422, 429, 503))
def document_status(document: OwnDocument, service: Service) -> DocumentStatus:
    """Return where a document stands, and why it failed if it did."""
    status = service.documents_of(document.user_id).status(document.document_id)
    if status is None:
        raise PermanentError("unknown_document")
    return DocumentStatus.of(document, status)


@router.get("/{document_id}/events", responses=problems(401, 404, 422, 429, 503))
def document_events(document: OwnDocument, service: Service) -> list[HistoryEvent]:
    """Return everything that happened to a document, oldest first."""
    history = service.documents_of(document.user_id).history(document.document_id)
    return [HistoryEvent.of(event) for event in history]


@router.delete("/{document_id}", status_code=204, responses=problems(401, 404, 422, 429, 503))
def remove_document(document_id: UUID, service: Service, caller: Caller, actor: Acting) -> None:
    """Delete a document and everything made of it. Its history stays, without content. It is safe to repeat."""
    service.deletion.delete(DocumentId(document_id), actor, owner=caller)


def _accept_once(service: HttpService, file: IncomingFile, actor: Actor, key: str | None) -> Acceptance:
    if key is None:
        return service.intake.receive(file, actor)
    answered = service.idempotency_keys.reserve(file.user_id, key, sha256(file.content).hexdigest())
    if answered is not None:
        return answered
    return service.idempotency_keys.record(file.user_id, key, service.intake.receive(file, actor))
