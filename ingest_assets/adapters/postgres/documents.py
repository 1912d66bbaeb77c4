"""Documents in Postgres: what came in, where its parse is kept, where it stands."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from psycopg.errors import DeadlockDetected

from ingest_assets.adapters.postgres.arrivals import accept, known_files, locate, remember_files
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.jobs import advance
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.seen_documents import PostgresSeenDocuments
from ingest_assets.domain.documents.document import (
    Acceptance,
    Arrival,
    Document,
    Producer,
    StoredParse,
    UserId,
)
from ingest_assets.domain.documents.outdated import FirstStep, OutdatedDocument
from ingest_assets.domain.files.file_states import KnownFile
from ingest_assets.domain.files.file_types import FileType
from ingest_assets.domain.queue.jobs import Actor, Job, Payload
from ingest_assets.domain.queue.stages import Stage


class PostgresDocuments(PostgresSeenDocuments):
    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._database = database

    def locate(self, arrivals: Sequence[Arrival]) -> list[Acceptance]:
        if not arrivals:
            return []
        with self._database.connection() as connection:
            return locate(connection, arrivals)

    def accept(
        self, arrivals: Sequence[Arrival], located: Sequence[Acceptance], actor: Actor
    ) -> list[Acceptance] | None:
        with self._database.connection() as connection:
            try:
                with connection.transaction():
                    return accept(connection, arrivals, located, actor)
            except DeadlockDetected:
                return None

    def known_files(self, user_id: UserId, paths: Sequence[str]) -> dict[str, KnownFile]:
        with self._database.connection() as connection:
            return known_files(connection, user_id, paths)

    def remember_files(self, user_id: UserId, files: Mapping[str, KnownFile]) -> None:
        with self._database.connection() as connection:
            remember_files(connection, user_id, files)

    @contextmanager
    def intake_paused(self, user_id: UserId) -> Iterator[None]:
        with self._database.transaction() as connection:
            connection.execute(query("lock_user"), {"user_id": user_id})
            yield

    def files_below(self, user_id: UserId, folder: str) -> dict[str, int]:
        names = {"user_id": user_id, "folder": folder.rstrip("/") + "/"}
        with self._database.connection() as connection:
            rows = connection.execute(query("sources_below"), names).fetchall()
        return {row["source"]: int(row["file_device"]) for row in rows}

    def remove_source(self, user_id: UserId, source: str) -> None:
        with self._database.connection() as connection:
            connection.execute(query("remove_source"), {"user_id": user_id, "source": source})

    def stored_parse(self, document: Document) -> StoredParse | None:
        row = self._one("stored_parse", {"document_id": document.document_id, "content_sha": document.content_sha})
        if row is None:
            return None
        parser = Producer(row["parser_name"], row["parser_version"])
        return StoredParse(row["parsed_sha"], tuple(row["page_starts"]), parser)

    def save_parse(self, job: Job, parse: StoredParse, payload: Payload) -> Payload:
        with self._database.transaction() as connection:
            noted = advance(connection, job, Stage.PARSED, Stage.PARSE_VALIDATED, payload=payload)
            connection.execute(
                query("save_parse"),
                {
                    "document_id": job.document.document_id,
                    "content_sha": job.document.content_sha,
                    "parsed_sha": parse.parsed_sha,
                    "parser_name": parse.parser.name,
                    "parser_version": parse.parser.version,
                    "page_starts": list(parse.page_starts),
                },
            )
        return noted

    def outdated(
        self, parser_of: Callable[[str], Producer], chunker: Producer, model: Producer
    ) -> list[OutdatedDocument]:
        parsers = [parser_of(media_type) for media_type in FileType]
        names = {
            "media_types": list(FileType),
            "parser_names": [parser.name for parser in parsers],
            "parser_versions": [parser.version for parser in parsers],
            "chunker_name": chunker.name,
            "chunker_version": chunker.version,
            "embed_model": model.name,
            "embed_version": model.version,
        }
        with self._database.connection() as connection:
            rows = connection.execute(query("outdated_documents"), names).fetchall()
        return [OutdatedDocument(**row | {"first_step": FirstStep(row["first_step"])}) for row in rows]
