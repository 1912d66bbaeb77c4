"""The definitions that `naive` measures: four assets as one would write them first, a run for each file of a folder."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import dagster as dg
import psycopg
from pgvector.psycopg import register_vector

from benchmarks.chunk_rows import Maker, markdown_document
from ingest_assets.domain.documents.document import Chunk, Document, ParsedDocument, UserId

OWNER = UserId(UUID(int=1))

files = dg.DynamicPartitionsDefinition(name="files")
maker = Maker()


@dg.asset(partitions_def=files)
def parsed(context: dg.AssetExecutionContext) -> tuple[Document, ParsedDocument]:
    path = Path(os.environ["NAIVE_DOCUMENTS"]) / context.partition_key
    document = markdown_document(path, OWNER)
    return document, maker.parse(document, path.read_bytes())


@dg.asset(partitions_def=files)
def chunked(parsed: tuple[Document, ParsedDocument]) -> tuple[Document, list[Chunk]]:
    document, text = parsed
    return document, maker.chunk(document, text)


@dg.asset(partitions_def=files)
def embedded(chunked: tuple[Document, list[Chunk]]) -> Any:
    """Vectors, which Dagster knows no type for."""
    document, chunks = chunked
    return maker.embed(document, chunks)


@dg.asset(partitions_def=files)
def stored(chunked: tuple[Document, list[Chunk]], embedded: Any) -> None:
    document, chunks = chunked
    with psycopg.connect(os.environ["NAIVE_URL"], autocommit=True) as connection:
        register_vector(connection)
        maker.copy(connection, document, chunks, embedded)


ingest_file = dg.define_asset_job("ingest_file", selection=[parsed, chunked, embedded, stored])


@dg.sensor(job=ingest_file, minimum_interval_seconds=2, default_status=dg.DefaultSensorStatus.RUNNING)
def new_files(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest]:
    names = sorted(path.name for path in Path(os.environ["NAIVE_DOCUMENTS"]).iterdir())
    context.instance.add_dynamic_partitions("files", names)
    for name in names:
        yield dg.RunRequest(run_key=name, partition_key=name)


defs = dg.Definitions(
    assets=[parsed, chunked, embedded, stored],
    jobs=[ingest_file],
    sensors=[new_files],
    executor=dg.in_process_executor,
)
