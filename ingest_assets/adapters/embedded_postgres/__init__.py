"""Postgres without an installation: the binaries of a Python package, run and stopped by its users themselves.

Every process that uses the server shares a lock. Whoever finds no server running makes what is missing and hands it to
a supervisor, a small program that starts the server, starts it again when it is killed, and stops it once nobody shares
the lock any more. The kernel releases the locks of whoever dies, so no process id and no file is believed: neither a
killed user, nor a killed server, nor a killed supervisor leaves anything behind that the next start does not put right.

In the home: `postgres.log`, and `postgres` with the locks and the cluster, or a link to the cluster where the server's
user cannot enter the home. Postgres refuses to run as root: root's server has root's files but none of its powers, in a
user namespace; where there are none, it runs as `nobody`.
"""

from ingest_assets.adapters.embedded_postgres.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres"]
