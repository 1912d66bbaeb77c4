from fastapi import APIRouter

from ingest_assets.http.bodies import SearchHit, SearchRequest
from ingest_assets.http.dependencies import Caller, Service
from ingest_assets.http.problems import problems
from ingest_assets.pipeline.search import search as search_chunks

router = APIRouter(prefix="/v1", tags=["search"])


@router.post("/search", responses=problems(401, 413, 422, 429, 503))
def search(wanted: SearchRequest, caller: Caller, service: Service) -> list[SearchHit]:
    """The caller's best passages, best first."""
    services = service.services
    hits = search_chunks(caller, wanted.query, wanted.limit, index=services.search_index, embedder=services.embedder)
    return [SearchHit.of(hit) for hit in hits]
