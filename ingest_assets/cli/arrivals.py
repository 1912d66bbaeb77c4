"""A found file becomes an arrival: read, recognised, hashed."""

from ingest_assets.adapters.folders import Found, read_file
from ingest_assets.domain.documents import Arrival, UserId
from ingest_assets.pipeline.intake import check


def read_arrival(found: Found, owner: UserId, max_bytes: int, priority: int = 0) -> tuple[bytes, Arrival]:
    """Raises PermanentError for whatever is wrong with the file."""
    if found.problem is not None:
        raise found.problem
    content = read_file(found.path, max_bytes)
    return content, check(content, found.path.name, str(found.path), owner, max_bytes, priority)
