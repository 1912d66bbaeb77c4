"""A reader with SQL of its own asks whether a foreign word, name, source, hash, text or chunk exists, in every way.

It chooses how the planner works, and compares what EXPLAIN tells of a guess that is right with that of a wrong one:
estimates, rows, rows that a filter removed, and pages. Times are compared with those of guesses that are equally wrong.
"""

import random
import time
from collections.abc import Iterator
from hashlib import sha256
from itertools import product
from statistics import median
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import Connection

from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets.adapters.postgres.migrations import migrate, migrations
from ingest_assets.domain.roles import Role
from ingest_assets.settings import login_url
from ingest_assets_tests.adapters.postgres.filled_database import fill, uuid_of
from ingest_assets_tests.conftest import TEMPLATE, _database

ME, OTHER = uuid_of("user 7"), uuid_of("user 8")

THEIRS = """
UPDATE upload_pipeline.documents
SET filename = 'diagnosis.pdf', metadata = '{"broker": "Zephyr"}' WHERE user_id = %(other)s;
UPDATE upload_pipeline.document_chunks
SET full_text = to_tsvector('english', 'melanoma'), text = 'melanoma', title = 'POL-2024-004471', chunk_sha = %(sha)s
WHERE user_id = %(other)s;
UPDATE upload_pipeline.document_sources SET source = '/claims/diagnosis.pdf' WHERE (user_id, source) IN (
    SELECT user_id, source FROM upload_pipeline.document_sources WHERE user_id = %(other)s LIMIT 1);
UPDATE upload_pipeline.documents SET content_sha = %(sha)s WHERE user_id = %(other)s
"""
SHA, WRONG_SHA = sha256(b"x").hexdigest(), sha256(b"y").hexdigest()
FOREIGN_CHUNK = "(SELECT min(chunk_id::text)::uuid FROM upload_pipeline.document_chunks WHERE user_id = %s)"

GUESSES = {
    "word": ("melanoma", "melonoma", "melanomo"),
    "number": ("POL-2024-004471", "POL-2024-004472", "POL-2024-004473"),
    "metadata": ("Zephyr", "Zephyx", "Zephyq"),
    "filename": ("diagnosis.pdf", "diognosis.pdf", "diagnosos.pdf"),
    "source": ("/claims/diagnosis.pdf", "/claims/diognosis.pdf", "/claims/diagnosos.pdf"),
    "sha": (SHA, WRONG_SHA, sha256(b"z").hexdigest()),
    "chunk": ("", str(uuid4()), str(uuid4())),
}
"""A right guess and two wrong ones; the right chunk is looked up."""

OTHERS = f"'{OTHER}'"
QUESTIONS = [
    ("word", "SELECT FROM upload_pipeline.matching_chunks(ARRAY['{guess}'], '{{}}', '{guess}', 100, 10)"),
    ("number", "SELECT FROM upload_pipeline.numbered_chunks('{guess}', '', 50, 100, 10, NULL)"),
    ("number", "SELECT FROM upload_pipeline.document_chunks WHERE title = '{guess}'"),
    ("word", "SELECT FROM upload_pipeline.document_chunks WHERE text = '{guess}'"),
    ("word", "SELECT FROM upload_pipeline.document_chunks WHERE text LIKE '{guess}'"),
    ("word", "SELECT FROM upload_pipeline.document_chunks WHERE full_text @@ '{guess}'::tsquery"),
    ("metadata", "SELECT FROM upload_pipeline.documents WHERE metadata ->> 'broker' = '{guess}'"),
    ("metadata", "SELECT FROM upload_pipeline.documents WHERE metadata ->> 'broker' >= '{guess}'"),
    ("metadata", "SELECT FROM upload_pipeline.documents WHERE metadata @> jsonb_build_object('broker', '{guess}')"),
    (
        "metadata",
        f"SELECT FROM upload_pipeline.documents WHERE user_id = {OTHERS}"
        " AND metadata @> jsonb_build_object('broker', '{guess}')",
    ),
    (
        "metadata",
        "SELECT metadata ->> 'broker', count(*) FROM upload_pipeline.documents"
        " WHERE metadata ->> 'broker' = '{guess}' GROUP BY 1",
    ),
    ("filename", "SELECT FROM upload_pipeline.documents WHERE filename = '{guess}'"),
    ("filename", "SELECT FROM upload_pipeline.documents WHERE filename < '{guess}'"),
    ("filename", f"SELECT FROM upload_pipeline.documents WHERE user_id = {OTHERS} AND filename = '{{guess}}'"),
    ("source", "SELECT FROM upload_pipeline.document_sources WHERE source = '{guess}'"),
    ("source", f"SELECT FROM upload_pipeline.document_sources WHERE user_id = {OTHERS} AND source = '{{guess}}'"),
    (
        "source",
        f"SELECT FROM upload_pipeline.document_sources WHERE user_id IN ({OTHERS}, '{uuid4()}')"
        " AND source = '{guess}'",
    ),
    (
        "source",
        f"SELECT FROM (VALUES ({OTHERS}::uuid, '{{guess}}')) AS guess (u, s)"
        " JOIN upload_pipeline.document_sources ON (user_id, source) = (u, s)",
    ),
    ("sha", "SELECT FROM upload_pipeline.documents WHERE content_sha = '{guess}'"),
    (
        "sha",
        f"SELECT FROM upload_pipeline.documents WHERE user_id = ANY('{{{{{OTHER}}}}}') AND content_sha = '{{guess}}'",
    ),
    ("sha", "SELECT FROM upload_pipeline.document_chunks WHERE chunk_sha = '{guess}'"),
    (
        "sha",
        f"SELECT FROM upload_pipeline.document_chunks WHERE user_id >= {OTHERS} AND user_id <= {OTHERS}"
        " AND chunk_sha = '{guess}'",
    ),
    ("chunk", "SELECT FROM upload_pipeline.document_chunks WHERE chunk_id = '{guess}'"),
    (
        "chunk",
        f"SELECT FROM upload_pipeline.document_chunks WHERE user_id = ANY('{{{{{OTHER}}}}}')"
        " AND chunk_id = '{guess}'",
    ),
]

SETTINGS = ("enable_seqscan", "enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan")
TELLING = {
    *("Node Type", "Plan Rows", "Plan Width", "Total Cost", "Startup Cost", "Actual Rows", "Actual Loops"),
    *("Rows Removed by Filter", "Rows Removed by Index Recheck", "Rows Removed by Join Filter", "Heap Fetches"),
    *("Exact Heap Blocks", "Lossy Heap Blocks", "Index Searches"),
}
CALLS = 1000
MOST_TRIALS = 20
chance = random.Random(11)  # noqa: S311  no secret depends on it


@pytest.fixture(scope="module")
def url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """Fifty users, with statistics as fresh as they can be. One of them has what the reader would like to know of."""
    for made in _database(postgres, TEMPLATE):
        fill(made, most="done")
        with psycopg.connect(made, autocommit=True) as connection:
            cursor = psycopg.ClientCursor(connection)
            cursor.execute(THEIRS.encode(), {"other": OTHER, "sha": SHA})
            connection.execute("VACUUM ANALYZE")
        yield made


@pytest.fixture(scope="module")
def guesses(url: str) -> dict[str, tuple[str, str, str]]:
    with psycopg.connect(url) as connection:
        [[chunk_id]] = connection.execute(f"SELECT {FOREIGN_CHUNK}".encode(), [OTHER]).fetchall()
    _, wrong, as_wrong = GUESSES["chunk"]
    return GUESSES | {"chunk": (str(chunk_id), wrong, as_wrong)}


@pytest.fixture
def reader(url: str) -> Iterator[Connection[Any]]:
    with psycopg.connect(login_url(url, Role.READER), autocommit=True) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, false)", [str(ME)])
        connection.execute("SET max_parallel_workers_per_gather = 0")
        yield connection


def told(connection: Connection[Any], statement: str) -> list[dict[str, Any]]:
    """What EXPLAIN says of each node, but for times and the guess itself, once it says the same again.

    Until then, it also counts pages of the catalogue, and those that a function reads while it still plans anew.
    """
    explain = f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {statement}".encode()
    before: list[dict[str, Any]] = []
    for _ in range(MOST_TRIALS):
        [[[plan]]] = connection.execute(explain).fetchall()
        now = list(nodes(plan["Plan"]))
        if now == before:
            return now
        before = now
    raise AssertionError(f"never says the same again: {before}")


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    pages = sum(number for name, number in plan.items() if name.endswith((" Hit Blocks", " Read Blocks")))
    yield {name: value for name, value in plan.items() if name in TELLING} | {"pages": pages}
    for below in plan.get("Plans", ()):
        yield from nodes(below)


@pytest.mark.parametrize(("kind", "question"), QUESTIONS)
def test_no_plan_tells_a_right_guess_from_a_wrong_one(
    reader: Connection[Any], guesses: dict[str, tuple[str, str, str]], kind: str, question: str
) -> None:
    right, wrong, _ = guesses[kind]
    for values in product(("on", "off"), repeat=len(SETTINGS)):
        for setting, value in zip(SETTINGS, values, strict=True):
            reader.execute(f"SET {setting} = {value}".encode())
        assert told(reader, question.format(guess=right)) == told(reader, question.format(guess=wrong)), values


def test_what_is_the_readers_own_would_be_told(reader: Connection[Any]) -> None:
    """The attack works where it may: it sees its own rows."""
    question = dict(reversed(QUESTIONS))["filename"]
    [[own]] = reader.execute("SELECT filename FROM upload_pipeline.documents LIMIT 1").fetchall()
    assert told(reader, question.format(guess=own)) != told(reader, question.format(guess="nothing"))


@pytest.mark.parametrize(("kind", "question"), [QUESTIONS[place] for place in (0, 1, 6, 8, 11, 15)])
def test_a_thousand_timed_calls_do_not_tell_it_either(
    reader: Connection[Any], guesses: dict[str, tuple[str, str, str]], kind: str, question: str
) -> None:
    """The guesses take turns, so that whatever else the machine does delays all of them alike."""
    taken: dict[str, list[float]] = {guess: [] for guess in guesses[kind]}
    for _ in range(CALLS):
        for guess in chance.sample(list(taken), len(taken)):
            statement = question.format(guess=guess).encode()
            began = time.perf_counter()
            reader.execute(statement)
            taken[guess].append(time.perf_counter() - began)
    right, wrong, as_wrong = taken.values()
    equal = wrong + as_wrong
    assert abs(median(right) - median(equal)) <= 3 * noise(equal)


def noise(times: list[float]) -> float:
    """How far the medians of groups may be apart although nothing is different."""

    def difference() -> float:
        chance.shuffle(times)
        return abs(median(times[:CALLS]) - median(times[CALLS:]))

    return max(difference() for _ in range(200))


@pytest.mark.parametrize("view", ["pg_stats", "pg_stats_ext", "pg_stats_ext_exprs"])
def test_no_statistics_of_what_readers_may_ask_for_are_there_to_be_read(reader: Connection[Any], view: str) -> None:
    statement = f"SELECT FROM {view} WHERE schemaname = 'upload_pipeline' AND tablename <> 'migrations'"
    assert reader.execute(statement.encode()).fetchall() == []


def test_no_statistics_of_readable_columns_are_kept_for_the_planner(url: str) -> None:
    with psycopg.connect(url) as connection:
        kept = connection.execute(
            "SELECT tablename, attname FROM pg_stats WHERE schemaname = 'upload_pipeline'"
            " AND has_table_privilege('ingest_reader', format('upload_pipeline.%I', tablename)::regclass, 'SELECT')"
        ).fetchall()
    assert kept == []


def test_statistics_from_before_are_removed(empty_database_url: str) -> None:
    older = [each for each in migrations() if each.name < "0025"]
    migrate(empty_database_url, older)
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO upload_pipeline.documents"
            " (document_id, user_id, filename, media_type, byte_size, content_sha)"
            " SELECT gen_random_uuid(), gen_random_uuid(), 'secret.pdf', 'text/plain', 1, repeat('a', 64)"
            " FROM generate_series(1, 100)"
        )
        connection.execute("ANALYZE upload_pipeline.documents")
        kept = "SELECT count(*) FROM pg_stats WHERE schemaname = 'upload_pipeline' AND tablename = 'documents'"
        assert connection.execute(kept.encode()).fetchone() != (0,)
        migrate(empty_database_url)
        assert connection.execute(kept.encode()).fetchone() == (0,)
        connection.execute("ANALYZE upload_pipeline.documents")
        assert connection.execute(kept.encode()).fetchone() == (0,)
