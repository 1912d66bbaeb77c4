"""Documents that people requeue."""

from collections.abc import Callable, Mapping, Sequence

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.rows import columns_of, columns_of_error, model_columns
from ingest_assets.domain.documents.document import DocumentId, Producer
from ingest_assets.domain.documents.outdated import FirstStep, OutdatedDocument
from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.files.file_types import FileType
from ingest_assets.domain.queue.jobs import Actor


class PostgresOperations:
    def __init__(self, database: Database) -> None:
        self._database = database

    def replay(self, document_ids: Sequence[DocumentId], actor: Actor) -> list[DocumentId]:
        return self._queue("replay_jobs", document_ids, actor)

    def cancel(self, document_ids: Sequence[DocumentId], actor: Actor, reason: IngestError) -> list[DocumentId]:
        return self._queue("cancel_jobs", document_ids, actor, columns_of_error(reason))

    def refresh(self, document_ids: Sequence[DocumentId], actor: Actor) -> list[DocumentId]:
        return self._queue("refresh_jobs", document_ids, actor)

    def _queue(
        self, statement: str, document_ids: Sequence[DocumentId], actor: Actor, others: Mapping[str, str] | None = None
    ) -> list[DocumentId]:
        names = {"document_ids": list(document_ids)} | columns_of(actor) | dict(others or {})
        with self._database.connection() as connection:
            return [row["document_id"] for row in connection.execute(query(statement), names)]

    def outdated(
        self, parser_of: Callable[[str], Producer], chunker: Producer, model: Producer
    ) -> list[OutdatedDocument]:
        parsers = [parser_of(media_type) for media_type in FileType]
        names = model_columns(model) | {
            "media_types": list(FileType),
            "parser_names": [parser.name for parser in parsers],
            "parser_versions": [parser.version for parser in parsers],
            "chunker_name": chunker.name,
            "chunker_version": chunker.version,
        }
        with self._database.connection() as connection:
            rows = connection.execute(query("outdated_documents"), names).fetchall()
        return [OutdatedDocument(**row | {"first_step": FirstStep(row["first_step"])}) for row in rows]
