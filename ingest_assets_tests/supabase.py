"""A server set up as Supabase sets up a project's, as far as its roles, schemas and rights go.

Known from the scripts in the repository supabase/postgres: the superuser is `supabase_admin`; the login `postgres`,
which is given to people, may create roles and databases and bypasses row-level security; its rights on the database and
on the schema `auth` are without grant option. pgvector has been switched on in the schema `extensions`.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import psycopg

from ingest_assets_tests.own_postgres import SIXTEEN, OwnPostgres, own_postgres

SUPERUSER, LOGIN = "supabase_admin", "postgres"
S3 = "/storage/v1/s3"
ROLES = """
CREATE ROLE postgres LOGIN NOSUPERUSER CREATEDB CREATEROLE REPLICATION BYPASSRLS;
CREATE ROLE anon NOLOGIN;
CREATE ROLE authenticated NOLOGIN;
CREATE ROLE service_role NOLOGIN BYPASSRLS;
CREATE ROLE authenticator LOGIN NOINHERIT;
CREATE ROLE supabase_auth_admin LOGIN NOINHERIT CREATEROLE;
CREATE ROLE dashboard_user CREATEDB CREATEROLE REPLICATION;
GRANT anon, authenticated, service_role TO authenticator;
GRANT anon, authenticated, service_role TO postgres WITH ADMIN OPTION;
GRANT pg_monitor, pg_read_all_data, pg_signal_backend TO postgres;
GRANT ALL ON DATABASE postgres TO postgres, dashboard_user;
ALTER ROLE supabase_admin SET search_path TO "$user", public, auth, extensions;
ALTER ROLE postgres SET search_path TO "$user", public, extensions;
ALTER ROLE anon SET statement_timeout = '3s';
ALTER ROLE authenticated SET statement_timeout = '8s';
ALTER ROLE authenticator SET statement_timeout = '8s';
ALTER ROLE authenticator SET lock_timeout = '8s';
"""
SCHEMAS = """
GRANT USAGE ON SCHEMA public TO postgres, anon, authenticated, service_role;
CREATE SCHEMA extensions AUTHORIZATION postgres;
GRANT USAGE ON SCHEMA extensions TO anon, authenticated, service_role;
GRANT ALL ON SCHEMA extensions TO dashboard_user;
CREATE SCHEMA storage;
CREATE SCHEMA auth;
GRANT USAGE ON SCHEMA auth TO postgres, anon, authenticated, service_role;
GRANT ALL ON SCHEMA auth TO supabase_auth_admin, dashboard_user;
CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE AS
    $$ SELECT nullif(current_setting('request.jwt.claims', true), '')::jsonb $$;
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS
    $$ SELECT coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $$;
ALTER FUNCTION auth.jwt() OWNER TO supabase_auth_admin;
ALTER FUNCTION auth.uid() OWNER TO supabase_auth_admin;
"""
DEFAULTS = "".join(
    f"ALTER DEFAULT PRIVILEGES FOR ROLE {role} IN SCHEMA public GRANT ALL ON {kind}"
    " TO postgres, anon, authenticated, service_role;"
    for role in (SUPERUSER, LOGIN)
    for kind in ("TABLES", "FUNCTIONS", "SEQUENCES")
)
VECTOR = "CREATE EXTENSION vector WITH SCHEMA extensions"
"""What switching it on in the project's page does, as the superuser."""


@contextmanager
def supabase(folder: Path) -> Iterator[OwnPostgres]:
    """Yield a server with an empty project, the database `postgres`."""
    with own_postgres(folder, superuser=SUPERUSER, release=SIXTEEN) as server:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute((ROLES + SCHEMAS + DEFAULTS + VECTOR).encode())
        yield server


@contextmanager
def as_signed_in(connection: psycopg.Connection[Any], user_id: object, role: str = "authenticated") -> Iterator[None]:
    """Let a user be signed in, in a transaction, as Supabase's API does it for each request."""
    claims = json.dumps({"sub": str(user_id), "role": role})
    with connection.transaction():
        connection.execute(
            "SELECT set_config('role', %s, true), set_config('request.jwt.claims', %s, true)", [role, claims]
        )
        yield


@contextmanager
def below_a_path(endpoint: str) -> Iterator[str]:
    """Yield the address of a server of buckets that has a path in it, as Supabase's has."""

    class Passing(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            assert self.path.startswith(S3)
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            server = HTTPConnection(urlsplit(endpoint).netloc)
            headers = {**self.headers, "X-Forwarded-Prefix": S3}
            server.request(self.command, self.path.removeprefix(S3), body or None, headers)
            answer = server.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                    self.send_header(name, value)
            length = answer.getheader("content-length", "0") if self.command == "HEAD" else str(len(content))
            self.send_header("content-length", length)
            self.end_headers()
            self.wfile.write(content)
            server.close()

        do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815  as its base class looks for them

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  as its base class names it
            del format, arguments

    with ThreadingHTTPServer(("127.0.0.1", 0), Passing) as passing:
        Thread(target=passing.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{passing.server_port}{S3}"
        finally:
            passing.shutdown()
