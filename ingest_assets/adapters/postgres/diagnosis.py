"""What `ingest doctor` asks of a database."""

from ingest_assets.adapters.postgres.database import connected
from ingest_assets.adapters.postgres.migrations import check_server, pending


class Diagnosis:
    def __init__(self, url: str) -> None:
        self._url = url

    def answers(self) -> None:
        """Check that the server answers.

        Raises:
            TransientError: database_unreachable.
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

    def pending_migrations(self) -> list[str]:
        return pending(self._url)
