"""`python -m documentation` writes docs/reference anew, and puts in place what the site is built from."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from documentation.reference import write_reference
from documentation.site import gather
from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets.adapters.postgres.migrations import migrate


def main() -> None:
    for name in [name for name in os.environ if name.startswith(("INGEST_", "OPENAI_", "LLAMA_CLOUD_"))]:
        del os.environ[name]
    with TemporaryDirectory() as home:
        server = EmbeddedPostgres(Path(home) / "postgres")
        server.start()
        try:
            migrate(server.url("postgres"))
            write_reference(server.url("postgres"))
        finally:
            server.stop()
    gather()


if __name__ == "__main__":
    main()
