"""What `ingest doctor` asks of a database."""

from psycopg.conninfo import conninfo_to_dict

from ingest_assets.adapters.postgres.database import connected
from ingest_assets.adapters.postgres.doors import Door, open_doors
from ingest_assets.adapters.postgres.encryption import encryption_of
from ingest_assets.adapters.postgres.migrations import check_server, pending
from ingest_assets.adapters.postgres.poolers import pooling_of
from ingest_assets.domain.encryption import Encryption
from ingest_assets.domain.pooling import Pooling


class Diagnosis:
    def __init__(self, url: str) -> None:
        self._url = url

    def place(self) -> str:
        """Return where the server is to be: a host and a port, or a folder with its socket."""
        told = conninfo_to_dict(self._url)
        host = str(told.get("host", "localhost"))
        return host if host.startswith("/") else f"{host}:{told.get('port', 5432)}"

    def pooling(self) -> Pooling:
        """Return what stands between here and the server, as its sessions tell."""
        return pooling_of(self._url)

    def answers(self) -> None:
        """Check that the server answers.

        Raises:
            OutageError: database_unreachable.
        """
        with connected(self._url):
            return

    def version(self) -> int:
        """Return the server's major version.

        Raises:
            PermanentError: database_too_old or pgvector_missing.
        """
        with connected(self._url) as connection:
            check_server(connection)
            return connection.info.server_version // 10_000

    def encryption(self) -> Encryption:
        """Return how a session with the server is encrypted."""
        return encryption_of(self._url)

    def open_doors(self) -> list[Door]:
        """Return what a reader may do in this database that it should not."""
        with connected(self._url) as connection:
            return open_doors(connection)

    def open_entrances(self) -> list[Door]:
        """Return whether a reader may connect to this database, in which it has no business."""
        with connected(self._url) as connection:
            return open_doors(connection, "open_entrances")

    def pending_migrations(self) -> list[str]:
        return pending(self._url)
