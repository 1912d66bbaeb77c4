"""No statement of the queue, intake, retry, status or commit paths reads a big table from end to end.

Every query in `sql/queries` is planned with its real text on filled databases, with fresh statistics, none, and those
of empty tables: for the values below, and as the plan for any values that a prepared statement settles on where it
seems cheaper. A new query is guarded without being named here; it only needs a value for each of its parameters. One
that must read everything says so in `READS_EVERYTHING`.
"""

import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
import pytest
from pgvector.psycopg import register_vector
from psycopg import Connection
from psycopg.types.json import Json, Jsonb

from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets.adapters.postgres.queries import HEADER, queries, query
from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.documents.listing import Listing
from ingest_assets.domain.integrity import OF_ROWS
from ingest_assets.shipped import shipped
from ingest_assets_tests.adapters.postgres.filled_database import SMALL_TABLES, Statistics, fill, uuid_of
from ingest_assets_tests.conftest import TEMPLATE, _database

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SHA = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
FEW = 1000
"""Rows that may be sorted."""

READS_EVERYTHING = {
    "compare_with_all": "the nightly check of recall is exact",
    "load_ahead": "once a minute, and when a drain run begins, the index policy samples documents",
    "vector_counts": "once a minute, and when a drain run begins, the index policy counts vectors",
    "count_documents": "`ingest status` counts all documents",
    "count_jobs": "`ingest status` counts all jobs",
    "measure_queue": "what is done is counted in small tables only",
    "count_listed": "the hourly unlisting counts all partitions",
    "flow_of_jobs": "`ingest status` says whether documents flow",
    "named_documents": "a person has typed a file name",
    "list_documents": "`ingest list` looks for any of several things",
    "failed_documents": "`ingest status --failed` lists all failures",
    "outdated_documents": "`ingest refresh` looks for what other tools have made",
    "sum_costs": "`ingest costs` sums the ledger",
    **dict.fromkeys(
        ("documents_by_hour", "documents_by_day", "growth_by_day", "past_work", "unfinished_work"),
        "`ingest report` counts all documents",
    ),
    **dict.fromkeys(
        (
            *("other_instances", "drain_runs", "note_drain_runs", "renew_instance", "end_instance"),
            *("forget_instances", "instance_is_contested", "note_look"),
        ),
        "few deployments share a database",
    ),
    **dict.fromkeys(("move_listings", "moved_listings", "forget_moved"), "few documents move between deployments"),
    "destroy_user_keys": "once an hour, keys of users without documents are looked for",
    **dict.fromkeys(
        ("counts_of_snapshot", "key_ids", "recorded_in_snapshot"), "`ingest backup` takes everything with it"
    ),
    **dict.fromkeys(
        (
            *("holds_anything", "void_leases", "tell_again", "forget_listings", "forget_all_instances", "adopt_store"),
            "grantees",
        ),
        "`ingest restore` changes everything at once",
    ),
    "recount_budgets": "`ingest costs --recount` sums the ledger",
    **{invariant.name: "`ingest doctor --deep` looks at everything" for invariant in OF_ROWS},
} | {
    f"export_{kind}": "`ingest export` writes down everything of a user"
    for kind in ("callbacks", "calls", "deletions", "documents", "events", "remote_jobs", "requests", "sources")
}
"""Queries for people, or for once in a while, and why they do."""

GUESSED = ("['turn.turn', 'visits", "['(random())")
"""Claims sort one row per claim, of which the planner knows nothing: it takes generate_series for a thousand each.
A draw sorts the rows of some pages, which the planner takes for a tenth of the table."""

VALUES: dict[str, Any] = {
    "written_tables": ["upload_pipeline.events"],
    "grain": timedelta(seconds=5),
    "first_id": uuid_of("document 7"),
    "last_id": uuid_of("document 7"),
    "actor": "test",
    "lane": None,
    "lock": "intake 7",
    "correlation_id": "a test",
    "count": 10,
    "found": [uuid_of("chunk 7")],
    "chunk_id": uuid_of("chunk 7"),
    "most": 100,
    "key_id": uuid_of("key 7"),
    "wrapped_key": b"wrapped",
    "after_user": uuid_of("user 5"),
    "after_time": 7,
    "until": 8,
    "way_bounds": [1.0],
    "way_names": ["1.0", "+Inf"],
    "step_bounds": [1.0],
    "step_names": ["1.0", "+Inf"],
    "call_bounds": [1.0],
    "call_names": ["1.0", "+Inf"],
    "recall": 0.98,
    "after_event": 7,
    "last_event": 8,
    "after_document": uuid_of("document 7"),
    "age": timedelta(seconds=60),
    "patience": timedelta(seconds=60),
    "longest": timedelta(minutes=2),
    "telling_until": NOW,
    "exact_rows": 100,
    "index": "upload_pipeline.document_chunks_nearest",
    "ranked": "'policy'",
    "rare": ["policy"],
    "frequent": [],
    "folder": "/documents/",
    "file_shas": [SHA],
    "file_seen_ns": [1],
    "file_devices": [1],
    "file_inodes": [1],
    "file_changed_ns": [1],
    "file_modified_ns": [1],
    "file_sizes": [1000],
    "priorities": [0],
    "byte_sizes": [1000],
    "media_types": ["text/markdown"],
    "filenames": ["7.md"],
    "content_shas": [SHA],
    "buffered": [uuid_of("document 8")],
    "claims": ["worker 1", "worker 2"],
    "fences": [1, 1],
    "fresh_documents": [uuid_of("document 7")],
    "lasting": False,
    "moves": Jsonb([{"job_id": str(uuid_of("job 7")), "position": 0, "stage": "parsing", "age": 0, "payload": {}}]),
    "next_chunks": [uuid_of("chunk 7")],
    "next_documents": [uuid_of("document 7")],
    "next_turn": timedelta(seconds=2),
    "provider": "openai",
    "providers": ["openai"],
    "remote_request_id": uuid_of("document 7"),
    "targets": Jsonb(
        [
            {
                "job_id": str(uuid_of("job 7")),
                "claim": "worker 1",
                "fence": 1,
                "sources": ["job_validated"],
                "stage": "parsing",
                "is_done": False,
                "correlation_id": "a request",
            }
        ]
    ),
    "fresh_vectors": [np.ones(1536, dtype=np.float32)],
    "fresh_shas": [SHA],
    "per_user": None,
    "after": uuid_of("user 5"),
    "body": b"x",
    "asked_at": NOW,
    "call_id": 7,
    "callback_secret": "secret",
    "candidates": 400,
    "checksum": SHA,
    "chunk_ids": [uuid_of("chunk 7"), uuid_of("chunk 8")],
    "chunk_shas": [SHA],
    "claim": "worker 1",
    "fence": 1,
    "code": "corrupt",
    "common_words": "the policy",
    "content_sha": SHA,
    "counts": 1,
    "credits": 3,
    "document_id": uuid_of("document 7"),
    "doubtful": False,
    "document_ids": [uuid_of("document 7"), uuid_of("document 8")],
    "duration": timedelta(seconds=30),
    "embed_model": "model",
    "embed_version": "1",
    "expires_at": NOW,
    "hint": "hint",
    "hold": timedelta(seconds=60),
    "pause": timedelta(hours=1),
    "sent": True,
    "begun": ["IngestNoWorker"],
    "ended": ["IngestNoWorker"],
    "metrics": Jsonb({}),
    "at_all": timedelta(days=15),
    "in_full": timedelta(days=1),
    "sparse": timedelta(minutes=10),
    "ages": [timedelta(minutes=5)],
    "kept": [uuid_of("job 8")],
    "meanwhile": timedelta(seconds=30),
    "dagster_id": "a Dagster",
    "drain_runs": 1,
    "job_id": uuid_of("job 7"),
    "job_ids": [uuid_of("job 7"), uuid_of("job 8")],
    "is_known": True,
    "key_sha": SHA,
    "lease": timedelta(seconds=60),
    "light_bytes": 1000,
    "light_only": False,
    "limit": 32,
    "longest_hold": "5s",
    "message": "message",
    "micro_usd": 10,
    "name": "name",
    "next_retry_at": NOW,
    "now": NOW,
    "open_until": NOW,
    "outcome": "succeeded",
    "pages": 1,
    "parent_id": uuid_of("document 7"),
    "parent_ids": [uuid_of("document 7")],
    "depths": [1],
    "paths": ["noise.bin"],
    "codes": ["unsupported"],
    "parser_name": "local",
    "parser_version": "1",
    "probe": False,
    "query": "words of the policy POL-2024-004471",
    "few": 50,
    "documents": [uuid_of("document 7")],
    "equal": Jsonb({"line_of_business": "motor"}),
    "keys": ["date"],
    "operators": [">="],
    "bounds": ["2024-01-01"],
    "changes": Jsonb({str(uuid_of("document 7")): {"date": "2024-07-03"}}),
    "unsampled": 150,
    "sampled": 200,
    "slow_codes": ["timeout"],
    "depth": 50,
    "mark": "a backup",
    "roles": ["my_application"],
    "store_id": uuid_of("store 7"),
    "chunks": Json([]),
    "chunker_name": "markdown",
    "chunker_version": "1",
    "for_transaction": True,
    "remote_id": SHA,
    "reported": False,
    "request_id": "request",
    "request_sha": SHA,
    "requests_booked_until": NOW,
    "retries_only": False,
    "source": "/documents/7.md",
    "source_document_ids": [uuid_of("document 7")],
    "sources": ["job_validated"],
    "stage": "parsing",
    "stages": ["parsing"],
    "state": "retryable",
    "status": "queued",
    "tokens": 10,
    "tokens_booked_until": NOW,
    "user_id": uuid_of("user 7"),
    "user_ids": [uuid_of("user 7"), uuid_of("user 8")],
    "vectors": [np.ones(1536, dtype=np.float32)],
    "vector": np.ones(1536, dtype=np.float32),
    "window": timedelta(seconds=60),
    "worst": 3,
    "reconnection": timedelta(0),
}


def queries_in(file: str) -> list[str]:
    text = (shipped("sql") / "queries" / f"{file}.sql").read_text("utf-8")
    return HEADER.findall(text)


ROLES = dict.fromkeys([*queries_in("search"), "announcements"], "ingest_reader") | dict.fromkeys(
    [*queries_in("vector_index"), *queries_in("migrations")], "ingest_owner"
)
"""Who runs a query, if not the worker: row-level security has a say in its plan."""

KINDS = {"window": "interval"}
"""Types of values that stand where Postgres cannot tell them."""

OTHER_VALUES: dict[str, dict[str, Any]] = {
    "claim_jobs": {"retries_only": True, "light_only": True, "lane": "embed"},
    "count_waiting": {"lane": "embed"},
    "release_jobs": {"document_id": None, "fence": None},
}
"""A second set of values where a query takes another way with them."""

GUARDED = sorted(
    name
    for name, text in queries().items()
    if name not in READS_EVERYTHING
    and b"upload_pipeline." in text
    and not re.search(rb"^(ALTER|COMMENT|COPY|CREATE|DROP|LOCK) ", text, re.M)
)
PLANNING_COST = 25
"""What Postgres adds to the cost of plans for given values when it compares them with the plan for any values."""


@pytest.fixture(scope="module", params=product(["done", "queued"], Statistics), ids=", statistics ".join)
def connection(request: pytest.FixtureRequest, postgres: EmbeddedPostgres) -> Iterator[Connection]:
    """To a database whose documents are nearly all done, or nearly all waiting."""
    most, statistics = request.param
    for url in _database(postgres, TEMPLATE):
        fill(url, most, statistics)
        with psycopg.connect(url, autocommit=True) as made:
            register_vector(made)
            made.execute("SET app.user_id = '{}'".format(uuid_of("user 7")).encode())
            yield made


@pytest.mark.parametrize("name", GUARDED)
def test_a_query_stays_on_its_indexes(connection: Connection, name: str) -> None:
    connection.execute(f"SET ROLE {ROLES.get(name, 'ingest_worker')}".encode())
    statement = query(name)
    for_any_values = plan(connection, b"GENERIC_PLAN, ", numbered(statement))
    for values in (VALUES, VALUES | OTHER_VALUES.get(name, {})):
        for_these_values = plan(connection, b"", statement, values)
        assert wide_steps(for_these_values) == []
        if for_any_values["Total Cost"] < for_these_values["Total Cost"] + PLANNING_COST:
            assert wide_steps(for_any_values) == []


@pytest.mark.parametrize("after", [None, uuid_of("document 7")])
def test_a_list_for_one_user_reads_no_other_users_documents(connection: Connection, after: UUID | None) -> None:
    connection.execute("SET ROLE ingest_reader")
    statement, values = query("list_documents"), asdict(Listing(after=None if after is None else DocumentId(after)))
    for made in (plan(connection, b"", statement, values), plan(connection, b"GENERIC_PLAN, ", numbered(statement))):
        assert wide_steps(made) == []


def test_what_reads_everything_is_known_by_its_name() -> None:
    assert set(READS_EVERYTHING) <= set(queries())
    assert set(OTHER_VALUES) <= set(GUARDED)


def plan(connection: Connection, options: bytes, statement: bytes, values: dict[str, Any] | None = None) -> Any:
    row = connection.execute(b"EXPLAIN (" + options + b"FORMAT JSON) " + statement, values).fetchone()
    assert row is not None
    return row[0][0]["Plan"]


def numbered(statement: bytes) -> bytes:
    """With $1 in place of the first name, and so on, each with its type where Postgres could not tell it."""
    names = list(dict.fromkeys(re.findall(rb"%\((\w+)\)[sb]", statement)))
    kinds = {name: f"::{kind}".encode() for name, kind in KINDS.items()}
    return re.sub(
        rb"%\((\w+)\)[sb]",
        lambda found: b"$%d" % (names.index(found[1]) + 1) + kinds.get(found[1].decode(), b""),
        statement,
    )


def wide_steps(node: dict[str, Any]) -> list[str]:
    """What reads a whole table, or sorts many rows."""
    found = [step for child in node.get("Plans", []) for step in wide_steps(child)]
    if node["Node Type"] == "Seq Scan" and node["Relation Name"] not in SMALL_TABLES:
        found.append(f"reads all of {node['Relation Name']}")
    if node["Node Type"] == "Sort" and node["Plan Rows"] > FEW and not str(node["Sort Key"]).startswith(GUESSED):
        found.append(f"sorts {node['Plan Rows']} rows by {node['Sort Key']}")
    return found
