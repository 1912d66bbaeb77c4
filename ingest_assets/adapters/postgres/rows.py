"""Conversions between rows and the pipeline's values."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ingest_assets.adapters.postgres.connections import Row
from ingest_assets.domain.documents.document import Document, Producer, StoredParse
from ingest_assets.domain.documents.warnings import WarningKind, Warnings, counted
from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.queue.jobs import Actor, Job
from ingest_assets.domain.queue.stages import Stage


def job_of(row: Row) -> Job:
    return Job(
        job_id=row["job_id"],
        document=replace(
            document_of(row), fence=row["fence"], correlation_id=row["correlation_id"] or row["claimed_by"]
        ),
        claim=row["claimed_by"],
        fence=row["fence"],
        stage=Stage(row["stage"]),
        attempt=row["attempts"] + 1,
        failures=row["attempts_by_code"],
    )


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
    return StoredParse(row["parsed_sha"], tuple(row["page_starts"]), parser, warnings_of(row))


def warnings_of(row: Row) -> Warnings:
    """Return the row's warnings, without kinds that only newer code knows."""
    kinds = set(WarningKind)
    return counted({WarningKind(kind): count for kind, count in row["warnings"].items() if kind in kinds})


def columns_of(actor: Actor) -> dict[str, str]:
    """Return the actor as events name it."""
    return {"actor": actor.name, "correlation_id": actor.correlation_id}


def columns_of_error(error: IngestError) -> dict[str, str]:
    """Return the error as jobs name it."""
    return {"code": error.code, "message": error.message, "hint": error.hint}


def model_columns(model: Producer) -> dict[str, Any]:
    return {"embed_model": model.name, "embed_version": model.version}


def claim_columns(jobs: Sequence[Job]) -> dict[str, list[Any]]:
    """Return what a query needs to find those of these jobs whose claims still stand."""
    return {
        "job_ids": [job.job_id for job in jobs],
        "claims": [job.claim for job in jobs],
        "fences": [job.fence for job in jobs],
    }
