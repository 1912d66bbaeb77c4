"""Everything that is stored of one user, without what may differ between two runs of the same story."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg

from ingest_assets.domain.documents.document import UserId

ABOUT_NO_USER = frozenset(
    {
        *("alerts", "instances", "locks", "migrations", "moved_listings", "object_store", "paid_services", "pauses"),
        *("readings", "recalls", "remote_leftovers", "totals", "totals_until"),
    }
)
TABLES = """
SELECT table_name AS name, bool_or(column_name = 'user_id') AS has_user,
    array_agg(column_name::text) FILTER (WHERE data_type LIKE 'timestamp%') AS times
FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = 'upload_pipeline' AND table_type = 'BASE TABLE'
GROUP BY table_name ORDER BY table_name"""
IDS = """SELECT document_id, job_id
FROM upload_pipeline.events AS event LEFT JOIN upload_pipeline.documents AS document USING (document_id)
WHERE event.user_id = %s
GROUP BY document_id, job_id, filename ORDER BY COALESCE(filename, ''), min(event_id)"""
OF_SPENDING = (
    "subject = %(user)s OR subject IN (SELECT document_id FROM upload_pipeline.events WHERE user_id = %(user)s)"
)

MADE_ANEW = frozenset(
    {
        *("event_id", "call_id", "request_id", "webhook_id", "chunk_id", "callback_secret", "key_id", "wrapped_key"),
        *("bits", "full_text"),
    }
)
"""Numbers and secrets that each row gets, and what follows from the other columns."""

OF_THE_WAY = {
    "upload_jobs": frozenset(
        {"attempts", "attempts_by_code", "crashes", "begun", "claimed_by", "fence", "telling_until"}
    ),
    "events": frozenset({"actor", "correlation_id"}),
}
"""What tells how often a worker began, and which."""

Connection = psycopg.Connection[dict[str, Any]]
Rows = dict[str, list[Mapping[str, Any]]]


def rows_of(connection: Connection, user: UserId, objects: Path, *, with_events: bool) -> Rows:
    """Return the user's rows by table, in an order of their own, and the names of the stored objects."""
    names = _names(connection, user)
    found: Rows = {}
    for table in connection.execute(TABLES).fetchall():
        if table["name"] in ABOUT_NO_USER or (table["name"] == "events" and not with_events):
            continue
        condition = "user_id = %(user)s" if table["has_user"] else OF_SPENDING
        order = "event_id" if table["name"] == "events" else "1"
        statement = f"SELECT * FROM upload_pipeline.{table['name']} WHERE {condition} ORDER BY {order}"  # noqa: S608  names of the catalogue
        rows = connection.execute(statement.encode(), {"user": user}).fetchall()
        bare: list[Mapping[str, Any]] = [_bare(table["name"], row, set(table["times"] or ()), names) for row in rows]
        found[table["name"]] = sorted(bare, key=_document if table["name"] == "events" else repr)
    return found | {"objects": [{"name": each} for each in _objects(objects, user, names)]}


def _document(event: Mapping[str, Any]) -> str:
    """Return what events are sorted by: those of one document keep their order, and there is none among documents."""
    return str(event["document_id"])


def _names(connection: Connection, user: UserId) -> dict[str, str]:
    """Return names of ids that are the same in each run."""
    history = connection.execute(IDS, [user]).fetchall()
    names = {str(user): "the user"}
    for number, row in enumerate(history, 1):
        names |= {str(row["document_id"]): f"document {number}", str(row["job_id"]): f"job {number}"}
    return names


def _bare(table: str, row: Mapping[str, Any], times: set[str], names: Mapping[str, str]) -> dict[str, Any]:
    left_out = MADE_ANEW | OF_THE_WAY.get(table, frozenset())
    bare = {name: value for name, value in row.items() if name not in left_out}
    return {name: value is not None if name in times else _value(name, value, names) for name, value in bare.items()}


def _value(name: str, value: Any, names: Mapping[str, str]) -> Any:
    if name == "embedding":
        return sha256(str(value).encode()).hexdigest()
    if name == "payload":
        return {key: part for key, part in value.items() if key != "seconds"}
    return names.get(str(value), value)


def _objects(folder: Path, user: UserId, names: Mapping[str, str]) -> list[str]:
    """Return the objects of documents that were accepted; those of others are for the sweep."""
    below = folder / str(user)
    files = [path.relative_to(below) for path in below.rglob("*") if path.is_file()]
    return sorted(f"{names[path.parts[0]]}/{'/'.join(path.parts[1:])}" for path in files if path.parts[0] in names)
