"""docs/reference/sql.md: the migrated schema, with the comments of sql/schema.sql and the rights of its roles."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from documentation.pages import code, on_one_line, page, table

ROOT = Path(__file__).parents[1]
SCHEMA = "upload_pipeline"
NAMED = re.compile(rf"\s*CREATE (?:TABLE|FUNCTION) {SCHEMA}\.(\w+)")
COLUMN = re.compile(r" {4}([a-z_]+) ")
ROLES = {
    "ingest_owner": "owns the schema, migrates it, and builds the vector indexes",
    "ingest_worker": "runs the pipeline: what its rights are is listed with each table",
    "ingest_reader": "is what your applications log in as, or act as: it sees the rows of one user, and writes nothing",
}
INTRODUCTION = f"""Everything is in the schema `{SCHEMA}`. Names, types and rights are those of the migrated
database; what they are for is said in `sql/schema.sql`. Row-level security shows `ingest_reader` only the rows of
the user in `app.user_id` or, on servers that have it, of `auth.uid()` ([how to connect an
application](../runbooks/own-postgres.md#let-an-application-read))."""
COLUMNS = """
    SELECT class.relname, attribute.attname, format_type(atttypid, atttypmod), attnotnull,
        coalesce(pg_get_expr(adbin, adrelid), '')
    FROM pg_class AS class
    JOIN pg_attribute AS attribute ON attrelid = class.oid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_attrdef ON adrelid = class.oid AND adnum = attnum
    WHERE relnamespace = %s::regnamespace AND relkind = 'r'
    ORDER BY relname, attnum
"""
RIGHTS = """
    SELECT class.relname, grantee::regrole::text, array_agg(privilege_type ORDER BY privilege_type)
    FROM pg_class AS class
    CROSS JOIN LATERAL aclexplode(relacl)
    WHERE relnamespace = %s::regnamespace AND relkind = 'r' AND grantee::regrole::text = ANY(%s)
    GROUP BY relname, grantee
    ORDER BY relname, grantee::regrole::text
"""
FUNCTIONS = """
    SELECT proname, pg_get_function_arguments(oid), pg_get_function_result(oid)
    FROM pg_proc
    WHERE pronamespace = %s::regnamespace AND has_function_privilege('ingest_reader', oid, 'EXECUTE')
    ORDER BY proname
"""


@dataclass
class Comments:
    """What the schema's file says about its tables, columns and functions."""

    things: dict[str, str] = field(default_factory=dict)
    columns: dict[tuple[str, str], str] = field(default_factory=dict)


def sql_page(url: str) -> str:
    """Return the page, for the migrated database at this URL."""
    comments = comments_of((ROOT / "sql/schema.sql").read_text())
    columns, rights = defaultdict(list), defaultdict(list)
    with psycopg.connect(url) as connection:
        for name, *column in connection.execute(COLUMNS, [SCHEMA]):
            columns[name].append(column)
        for name, role, privileges in connection.execute(RIGHTS, [SCHEMA, ["ingest_worker", "ingest_reader"]]):
            rights[name].append(f"`{role}` may {', '.join(privileges)}")
        functions = connection.execute(FUNCTIONS, [SCHEMA]).fetchall()
    tables = [part for name in columns for part in _table(name, columns[name], rights[name], comments)]
    return page(
        "SQL",
        INTRODUCTION,
        [
            "## Roles",
            table(("role", "what it is for"), [(code(role), purpose) for role, purpose in ROLES.items()]),
            "## Functions that ingest_reader may call",
            table(
                ("function", "returns", "what it does"),
                [
                    (code(f"{name}({arguments})"), code(result), comments.things.get(name, ""))
                    for name, arguments, result in functions
                ],
            ),
            *tables,
        ],
    )


def comments_of(schema: str) -> Comments:
    """Read the comments; each stands above what it is about."""
    found, pending, inside = Comments(), list[str](), ""
    for line in schema.splitlines():
        text = line.strip()
        if text.startswith("-- "):
            pending.append(text.removeprefix("-- "))
        elif named := NAMED.match(line):
            inside = named[1]
            found.things.setdefault(inside, on_one_line(" ".join(pending)))
            pending = []
        elif inside and (column := COLUMN.match(line)):
            if pending:
                found.columns[inside, column[1]] = on_one_line(" ".join(pending))
            pending = []
        elif line.startswith((")", "END")):
            inside = ""
        elif not line.startswith((" ", "DO ", "BEGIN")):
            pending = []
    return found


def _table(name: str, columns: list[list[object]], rights: list[str], comments: Comments) -> Iterator[str]:
    yield f"## {name}"
    if about := comments.things.get(name):
        yield about
    yield f"{'; '.join(rights)}." if rights else "Only the owner may use it."
    rows = [_column(name, column, comments.columns) for column in columns]
    yield table(("column", "type", "default", "what it is for"), rows)


def _column(name: str, column: list[object], about: Mapping[tuple[str, str], str]) -> tuple[str, str, str, str]:
    column_name, kind, is_required, default = column
    optional = "" if is_required else " or null"
    return code(str(column_name)), f"{kind}{optional}", code(str(default)), about.get((name, str(column_name)), "")
