from fastapi import APIRouter

from ingest_assets.domain.errors import OutageError
from ingest_assets.domain.schema import needed
from ingest_assets.http.bodies import Condition
from ingest_assets.http.dependencies import Service
from ingest_assets.http.problems import problems

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def alive() -> Condition:
    """Answer, which shows that the process runs."""
    return Condition(status="ok")


@router.get("/readyz", responses=problems(503))
def ready(service: Service) -> Condition:
    """Check that the database answers and that this code can work with its schema."""
    if needed(service.pending_migrations()):
        raise OutageError("schema_outdated")
    return Condition(status="ready")
