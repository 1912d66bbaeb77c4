"""Conversions between rows and the pipeline's values."""

from typing import Any

from ingest_assets.adapters.postgres.database import Row
from ingest_assets.domain.documents.document import Document, Producer, StoredParse
from ingest_assets.domain.queue.jobs import Actor, Job
from ingest_assets.domain.queue.stages import Stage


def job_of(row: Row) -> Job:
    return Job(row["job_id"], document_of(row), row["claimed_by"], Stage(row["stage"]), row["attempts"] + 1)


def document_of(row: Row) -> Document:
    return Document(
        document_id=row["document_id"],
        user_id=row["user_id"],
        version=row["version"],
        filename=row["filename"],
        media_type=row["media_type"],
        byte_size=row["byte_size"],
        content_sha=row["content_sha"],
        parse=_parse_of(row),
    )


def _parse_of(row: Row) -> StoredParse | None:
    """Return the stored parse, unless it is of an earlier content."""
    if row["parsed_content_sha"] != row["content_sha"]:
        return None
    parser = Producer(row["parser_name"], row["parser_version"])
    return StoredParse(row["parsed_sha"], tuple(row["page_starts"]), parser)


def columns_of(actor: Actor) -> dict[str, str]:
    """Return the actor as events name it."""
    return {"actor": actor.name, "correlation_id": actor.correlation_id}


def model_columns(model: Producer) -> dict[str, Any]:
    return {"embed_model": model.name, "embed_version": model.version}
