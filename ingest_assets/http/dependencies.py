"""What routes depend on: the running service, the caller, the caller's document.

Those that wait for nothing are coroutines: a plain function would cost each request a way to another thread and back.
"""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from ingest_assets.domain.documents.document import Document, DocumentId, UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.http.authentication import Admission
from ingest_assets.http.ports import HttpService

bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="An access token as Supabase issues it.")


async def _service(request: Request) -> HttpService:
    service: HttpService = request.app.state.service
    return service


Service = Annotated[HttpService, Depends(_service)]


def _admission(
    service: Service, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Admission:
    """Return who sends the request, and until when the token lets them in.

    Raises:
        PermanentError: token_missing, token_invalid, token_expired.
        RefusalError: rate_limited.
    """
    if credentials is None:
        raise PermanentError("token_missing")
    admission = service.authentication.admit(credentials.credentials)
    service.rate_limit.admit(admission.user)
    return admission


Admitted = Annotated[Admission, Depends(_admission)]


async def _caller(admission: Admitted) -> UserId:
    return admission.user


Caller = Annotated[UserId, Depends(_caller)]


async def _actor(request: Request) -> Actor:
    return Actor("http", request.state.request_id)


Acting = Annotated[Actor, Depends(_actor)]
"""Who acts, for the history: this request."""


def _own_document(document_id: UUID, caller: Caller, service: Service) -> Document:
    """Return the caller's document.

    Raises:
        PermanentError: unknown_document, which another user's document is too.
    """
    document = service.documents_of(caller).find(DocumentId(document_id))
    if document is None:
        raise PermanentError("unknown_document")
    return document


OwnDocument = Annotated[Document, Depends(_own_document)]
