"""What operators measure. Nobody reads it with a user's token: it counts everybody's documents."""

import hmac
from collections import Counter
from collections.abc import Iterator
from threading import Lock
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi.security import HTTPAuthorizationCredentials

from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.metrics import REQUESTS_TOTAL, Sample
from ingest_assets.http.dependencies import Service, bearer
from ingest_assets.http.exposition import MEDIA_TYPE, exposition

router = APIRouter(include_in_schema=False)


class RequestCounts:
    """Counts answers by the class of their status."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts = Counter({f"{first}xx": 0 for first in (2, 4, 5)})

    def add(self, status: int) -> None:
        with self._lock:
            self._counts[f"{status // 100}xx"] += 1

    def take(self) -> Iterator[Sample]:
        with self._lock:
            counts = dict(self._counts)
        for status, count in counts.items():
            yield Sample(REQUESTS_TOTAL, (status,), count)


@router.get("/metrics")
def metrics(service: Service, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> Response:
    """Return all metrics to whoever has the token of the metrics.

    Raises:
        PermanentError: metrics_closed, metrics_refused.
    """
    if service.metrics_token is None:
        raise PermanentError("metrics_closed")
    given = "" if credentials is None else credentials.credentials
    if not hmac.compare_digest(given.encode(), service.metrics_token.encode()):
        raise PermanentError("metrics_refused")
    return Response(exposition(service.collect_metrics()), media_type=MEDIA_TYPE)
