"""Postgres' catalogue holds no function, table, column, index, role or right that nobody has decided about.

Each test is the question what is there that the lists here do not name; a new one fails until somebody says what it is.
"""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from ingest_assets.domain.roles import Role
from ingest_assets_tests.adapters.postgres.test_row_security import PRIVATE, WITH_USERS_DATA

AS_ITS_OWNER = {"matching_chunks", "numbered_chunks"}
"""Functions that bypass row-level security: each names the reader itself, and touches no other user's row."""

FOR_READERS = {"current_user_id", "matching_chunks", "numbered_chunks", "vector_bits"}
"""Functions that readers may call."""

READABLE = {
    "document_chunks",
    "document_sources",
    "documents",
    "events",
    "paid_calls",
    "skipped_attachments",
    "upload_jobs",
}
"""Tables that readers may read, row by row as their policies say."""

NOT_BY_USER = {
    # By ids, which are random and tell nothing of what they stand for: whoever has one can tell that it exists.
    *("documents_pkey", "upload_jobs_pkey", "upload_jobs_document_id_key", "document_sources_by_document"),
    *("document_sources_by_parent", "skipped_attachments_by_document"),
    *("document_chunks_by_document", "events_by_document", "paid_calls_by_document"),
    # By numbers and times: they tell how many rows there are, and when they came.
    *("events_pkey", "paid_calls_pkey", "paid_calls_settled"),
    *("upload_jobs_failed", "upload_jobs_unreported", "upload_jobs_listed"),
    # By the model or the lane first, of which there are few, then by the user.
    *("document_chunks_by_bits", "upload_jobs_claimable_by_lane"),
}
"""Indexes of readable tables that do not begin with the user, and why that tells nobody a secret."""

FUNCTIONS = """SELECT proname FROM pg_proc
WHERE pronamespace = 'upload_pipeline'::regnamespace AND prosecdef ORDER BY 1"""
LOOSE_FUNCTIONS = """SELECT proname FROM pg_proc
WHERE prosecdef AND pronamespace = 'upload_pipeline'::regnamespace AND NOT (
    pg_get_userbyid(proowner) = 'ingest_owner' AND 'search_path=pg_catalog, pg_temp' = ANY(proconfig))"""
CALLABLE = """SELECT DISTINCT proname FROM pg_proc
WHERE pronamespace = 'upload_pipeline'::regnamespace AND has_function_privilege('ingest_reader', oid, 'EXECUTE')"""
TO_PUBLIC = """SELECT object, privilege FROM (
    SELECT relnamespace, oid::regclass::text, (aclexplode(relacl)).* FROM pg_class
    UNION ALL SELECT pronamespace, oid::regprocedure::text, (aclexplode(coalesce(proacl, acldefault('f', proowner)))).*
        FROM pg_proc
    UNION ALL SELECT oid, nspname, (aclexplode(nspacl)).* FROM pg_namespace
    UNION ALL SELECT relnamespace, attrelid::regclass || '.' || attname, (aclexplode(attacl)).*
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    UNION ALL SELECT typnamespace, typname, (aclexplode(typacl)).* FROM pg_type
) AS granted (schema, object, grantor, grantee, privilege, grantable)
WHERE schema = 'upload_pipeline'::regnamespace AND grantee = 0"""
GRANTED = """SELECT relname, privilege_type
FROM pg_class, aclexplode(relacl)
WHERE relnamespace = 'upload_pipeline'::regnamespace AND grantee = 'ingest_reader'::regrole"""
OF_COLUMNS = """SELECT relname, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace = 'upload_pipeline'::regnamespace AND attacl IS NOT NULL"""
INDEXES = """SELECT relname
FROM pg_index
JOIN pg_class ON pg_class.oid = indexrelid
LEFT JOIN pg_attribute ON (attrelid, attnum) = (indrelid, indkey[0])
WHERE relnamespace = 'upload_pipeline'::regnamespace AND has_table_privilege('ingest_reader', indrelid, 'SELECT')
    AND attname IS DISTINCT FROM 'user_id'
    AND relname NOT IN ('document_chunks_by_number', 'document_chunks_by_word')"""
"""The indexes of words and numbers have one key each, made of the user and a word or number."""
OBSERVED = """SELECT class.relname, attname
FROM pg_class AS class
JOIN pg_attribute ON attrelid = class.oid AND attnum > 0 AND NOT attisdropped
LEFT JOIN pg_index ON indexrelid = class.oid
WHERE relnamespace = 'upload_pipeline'::regnamespace AND relkind IN ('r', 'i', 'p', 'm')
    AND has_table_privilege('ingest_reader', coalesce(indrelid, class.oid), 'SELECT')
    AND (indrelid IS NULL OR indkey[attnum - 1] = 0)
    AND coalesce(attstattarget, -1) <> 0
UNION ALL
SELECT stxname, NULL FROM pg_statistic_ext WHERE stxnamespace = 'upload_pipeline'::regnamespace"""
OTHER_KINDS = """SELECT relname, relkind FROM pg_class
WHERE relnamespace = 'upload_pipeline'::regnamespace AND relkind NOT IN ('r', 'i', 'S')"""
ROLES = """SELECT rolname FROM pg_roles
WHERE rolname LIKE 'ingest\\_%' AND NOT (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)"""
MEMBERSHIPS = """SELECT roleid::regrole::text, member::regrole::text FROM pg_auth_members
WHERE 'ingest_reader'::regrole IN (roleid, member) OR 'ingest_worker'::regrole = member
    OR 'ingest_owner'::regrole = member"""

UNPROTECTED = """SELECT c.relname
FROM pg_class AS c
WHERE c.relname = ANY(%s) AND c.relnamespace = 'upload_pipeline'::regnamespace AND NOT (
    relrowsecurity AND relforcerowsecurity AND pg_get_userbyid(relowner) = 'ingest_owner'
    AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid AND 0 = ANY(polroles))
    AND (NOT has_table_privilege('ingest_reader', c.oid, 'SELECT') OR EXISTS (
        SELECT FROM pg_policies AS policy
        WHERE policy.tablename = c.relname AND policy.schemaname = 'upload_pipeline' AND roles = '{ingest_reader}'
            AND permissive = 'PERMISSIVE' AND cmd = 'SELECT'
            AND qual = '(user_id = upload_pipeline.current_user_id())')))"""


def names(connection: Connection[Any], statement: str) -> set[str]:
    return {row[0] for row in connection.execute(statement.encode())}


@pytest.fixture
def catalogue(database_url: str) -> Iterator[Connection[Any]]:
    with psycopg.connect(database_url) as connection:
        yield connection
        connection.rollback()


def test_every_table_with_users_data_has_row_security_and_a_policy(catalogue: Connection[Any]) -> None:
    tables = [name for name, _ in catalogue.execute(WITH_USERS_DATA)]
    assert catalogue.execute(UNPROTECTED, [tables]).fetchall() == []
    catalogue.execute("CREATE TABLE upload_pipeline.forgotten (user_id uuid)")
    tables = [name for name, _ in catalogue.execute(WITH_USERS_DATA)]
    assert catalogue.execute(UNPROTECTED, [tables]).fetchall() == [("forgotten",)]


def test_readers_may_read_what_was_decided_and_nothing_else(catalogue: Connection[Any]) -> None:
    assert set(catalogue.execute(GRANTED)) == {(table, "SELECT") for table in READABLE}
    assert READABLE.isdisjoint(PRIVATE)
    assert names(catalogue, OF_COLUMNS) == set()
    catalogue.execute("GRANT UPDATE (filename) ON upload_pipeline.documents TO ingest_reader")
    assert names(catalogue, OF_COLUMNS) == {"documents"}


def test_nothing_is_granted_to_everybody(catalogue: Connection[Any]) -> None:
    assert names(catalogue, TO_PUBLIC) == set()
    catalogue.execute("CREATE FUNCTION upload_pipeline.new() RETURNS void LANGUAGE sql RETURN NULL")
    catalogue.execute("GRANT SELECT ON upload_pipeline.alerts TO PUBLIC")
    assert names(catalogue, TO_PUBLIC) == {"upload_pipeline.new()", "upload_pipeline.alerts"}


def test_functions_that_bypass_row_security_were_looked_at(catalogue: Connection[Any]) -> None:
    assert names(catalogue, FUNCTIONS) == AS_ITS_OWNER
    assert names(catalogue, LOOSE_FUNCTIONS) == set()
    assert names(catalogue, CALLABLE) == FOR_READERS
    catalogue.execute("CREATE FUNCTION upload_pipeline.new() RETURNS void LANGUAGE sql SECURITY DEFINER RETURN NULL")
    assert names(catalogue, LOOSE_FUNCTIONS) == {"new"}
    assert names(catalogue, CALLABLE) == FOR_READERS | {"new"}


def test_indexes_of_what_readers_may_read_begin_with_the_user_or_were_looked_at(catalogue: Connection[Any]) -> None:
    assert names(catalogue, INDEXES) == NOT_BY_USER
    catalogue.execute("CREATE INDEX telling ON upload_pipeline.documents (filename)")
    assert names(catalogue, INDEXES) == NOT_BY_USER | {"telling"}


def test_what_readers_may_read_keeps_no_statistics(catalogue: Connection[Any]) -> None:
    assert names(catalogue, OBSERVED) == set()
    catalogue.execute("ALTER TABLE upload_pipeline.documents ADD COLUMN new text")
    catalogue.execute("CREATE INDEX telling ON upload_pipeline.document_chunks (lower(text))")
    assert names(catalogue, OBSERVED) == {"documents", "telling"}


def test_there_are_no_views_and_foreign_tables(catalogue: Connection[Any]) -> None:
    assert names(catalogue, OTHER_KINDS) == set()
    catalogue.execute("CREATE VIEW upload_pipeline.around AS SELECT FROM upload_pipeline.documents")
    assert names(catalogue, OTHER_KINDS) == {"around"}


def test_the_roles_are_neither_superusers_nor_above_row_security(catalogue: Connection[Any]) -> None:
    assert names(catalogue, ROLES) == set(Role)


def test_no_role_is_in_another_but_the_worker_in_the_reader(catalogue: Connection[Any]) -> None:
    assert set(catalogue.execute(MEMBERSHIPS)) == {("ingest_reader", "ingest_worker")}


def test_new_objects_get_no_rights_by_themselves(catalogue: Connection[Any]) -> None:
    assert catalogue.execute("SELECT FROM pg_default_acl").fetchall() == []
