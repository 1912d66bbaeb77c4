from fastapi import APIRouter

from ingest_assets.http.bodies import SearchHit, SearchRequest
from ingest_assets.http.dependencies import Caller, Service
from ingest_assets.http.problems import problems

router = APIRouter(prefix="/v1", tags=["search"])


@router.post("/search", responses=problems(401, 413, 422, 429, 503))
def search(wanted: SearchRequest, caller: Caller, service: Service) -> list[SearchHit]:
    """Return the passages in the caller's documents that best answer the query, best first."""
    return [SearchHit.of(hit) for hit in service.search().passages(caller, wanted.query, wanted.limit)]
