from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query

from ingest_assets.domain.documents.metadata import MOST_KEYS, check_key, parse_conditions
from ingest_assets.http.bodies import LONGEST_CONDITION, MOST_CONDITIONS, SearchHit, SearchRequest
from ingest_assets.http.dependencies import Caller, Service
from ingest_assets.http.problems import problems

MOST_VALUES = 100
"""How many values of a key are counted."""

Keys = Annotated[
    Sequence[Annotated[str, Query(max_length=64)]],
    Query(alias="key", min_length=1, max_length=MOST_KEYS, description="A key; the parameter may be given often."),
]
Where = Annotated[
    Sequence[Annotated[str, Query(max_length=LONGEST_CONDITION)]],
    Query(max_length=MOST_CONDITIONS, description="What the metadata must meet, such as date>=2024-01-01."),
]

router = APIRouter(prefix="/v1", tags=["search"])


@router.post("/search", responses=problems(401, 413, 422, 429, 503))
def search(wanted: SearchRequest, caller: Caller, service: Service) -> list[SearchHit]:
    """Return the passages in the caller's documents that best answer the query, best first."""
    conditions = parse_conditions(wanted.where)
    return [SearchHit.of(hit) for hit in service.search().passages(caller, wanted.query, wanted.limit, conditions)]


@router.get("/facets", responses=problems(401, 422, 429, 503))
def facets(caller: Caller, service: Service, keys: Keys, where: Where = ()) -> dict[str, dict[str, int]]:
    """Return how many of the caller's documents have each value of these keys of metadata."""
    conditions = parse_conditions(where)
    chosen = service.search().index.documents_that_meet(caller, conditions) if conditions else None
    return service.documents_of(caller).facets(caller, list(map(check_key, keys)), MOST_VALUES, chosen)
