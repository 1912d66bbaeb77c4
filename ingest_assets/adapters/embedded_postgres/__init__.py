"""Postgres without an installation: its users run and stop the binaries of a Python package themselves.

Every process that uses the server shares a lock. A process that finds no server running creates what is missing and
hands it to a supervisor. The supervisor is a small program that starts the server, restarts it if it is killed, and
stops it once no process shares the lock any more. The kernel releases the locks of a process that ends, so nothing
relies on process ids or files: whether a user, the server or the supervisor is killed, the next start repairs whatever
it leaves behind.

The home holds `postgres.log`, and `postgres` with the locks and the cluster; the cluster is a link if the server's user
cannot enter the home. Postgres refuses to run as root. So root's server runs in a user namespace, with root's files but
none of root's powers; if there are no user namespaces, it runs as `nobody`.
"""

from ingest_assets.adapters.embedded_postgres.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres"]
