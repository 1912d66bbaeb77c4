"""Very many documents taken in: one by the pipeline's own intake, the others as copies of every row that it wrote.

A hundred thousand intakes would take longer than what is measured. What the queue holds then is the same.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any
from uuid import uuid4

from psycopg import Connection, sql

from benchmarks.deployments import OWNER, Home
from benchmarks.intake import intake_of, note_name, note_text
from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.pipeline.stored_objects import arrived_content_key

TABLES = """SELECT table_name AS name,
    (SELECT column_name FROM information_schema.columns AS c WHERE is_identity = 'YES'
        AND (c.table_schema, c.table_name) = (t.table_schema, t.table_name)) AS identity
FROM information_schema.tables AS t
WHERE table_schema = 'upload_pipeline' AND table_type = 'BASE TABLE' AND table_name <> 'document_chunks'"""
"""All in which intake may have written."""

COPIES = "CREATE TEMPORARY TABLE copies (document_id text, job_id text, content_sha text, name text)"

COPY_ROWS = sql.SQL("""INSERT INTO {table} OVERRIDING SYSTEM VALUE
SELECT row.*
FROM copies,
    (SELECT to_jsonb(t)::text AS text FROM {table} AS t WHERE strpos(to_jsonb(t)::text, %(document_id)s) > 0) AS model,
    LATERAL jsonb_populate_record(NULL::{table}, replace(replace(replace(replace(
        model.text, %(document_id)s, copies.document_id), %(job_id)s, copies.job_id),
        %(content_sha)s, copies.content_sha), %(name)s, copies.name)::jsonb || {fresh}) AS row""")

FRESH = sql.SQL("jsonb_build_object({column}, nextval(pg_get_serial_sequence({table}, {column})))")
NOTHING = sql.SQL("'{{}}'::jsonb")


@dataclass(frozen=True, slots=True)
class Note:
    """What tells the rows of one from those of another."""

    document_id: str
    job_id: str
    content_sha: str
    name: str


def take_in_notes(home: Home, count: int) -> None:
    accepted = intake_of(home).note(0)
    sha = sha256(note_text(0)).hexdigest()
    model = Note(str(accepted.document_id), str(accepted.job_id), sha, note_name(0))
    copies = list(_stored_copies(home, count))
    home.database.execute("SET session_replication_role = replica")  # tables in any order
    _name_copies(home.database, copies)
    for table in home.database.execute(TABLES).fetchall():
        home.database.execute(_copy_rows(**table), asdict(model))
    home.database.execute("RESET session_replication_role")
    home.database.execute("DROP TABLE copies")
    for statement in ("VACUUM ANALYZE", "CHECKPOINT"):
        home.execute(statement)
    os.sync()


def _stored_copies(home: Home, count: int) -> Iterator[Note]:
    """Their bytes stored where the deployment looks for them, but not each synced to the disk."""
    folder = home.deployment.settings.objects_folder
    for number in range(1, count):
        content, document_id = note_text(number), DocumentId(uuid4())
        sha = sha256(content).hexdigest()
        path = folder / arrived_content_key(OWNER, document_id, sha)
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        yield Note(str(document_id), str(uuid4()), sha, note_name(number))


def _name_copies(connection: Connection[Any], copies: Sequence[Note]) -> None:
    connection.execute(COPIES)
    with connection.cursor().copy("COPY copies FROM STDIN") as copy:
        for note in copies:
            copy.write_row((note.document_id, note.job_id, note.content_sha, note.name))


def _copy_rows(name: str, identity: str | None) -> sql.Composed:
    table = sql.Identifier("upload_pipeline", name)
    fresh: sql.Composable = NOTHING.format()
    if identity is not None:
        fresh = FRESH.format(table=sql.Literal(f"upload_pipeline.{name}"), column=sql.Literal(identity))
    return COPY_ROWS.format(table=table, fresh=fresh)
