"""The server's files: where they lie, who owns them, and how to create them so that no crash leaves them half done."""

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ingest_assets.adapters.embedded_postgres.configuration import SYNC_METHOD, configuration
from ingest_assets.adapters.embedded_postgres.identity import Identity
from ingest_assets.adapters.embedded_postgres.installation import Installation
from ingest_assets.adapters.embedded_postgres.sockets import SOCKET, socket_folder
from ingest_assets.posix.files import UNFINISHED, replacing, write_through
from ingest_assets.posix.private_folders import make_private
from ingest_assets.shipped import shipped

DATABASES = ("ingest", "dagster")


@dataclass(frozen=True, slots=True)
class Cluster:
    folder: Path
    identity: Identity
    installation: Installation

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def command(self) -> list[str]:
        """The command line that runs the server in the foreground."""
        postgres = self.installation.program("postgres")
        settings = f"config_file={self.folder / 'postgresql.conf'}"
        return [*self.identity.prefix, postgres, "-D", str(self.data), "-c", settings]

    @property
    def process_files(self) -> list[Path]:
        """Files that a killed server leaves behind; it cannot start if their process ids are in use again."""
        return [self.data / "postmaster.pid", socket_folder(self.folder) / f"{SOCKET}.lock"]

    def prepare(self, log: int) -> None:
        """Create whatever the server needs to start; `log` is the descriptor of an open file."""
        for leftover in self.folder.glob("initdb-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        if not self.data.exists():
            self._make_data(log)
        make_private(socket_folder(self.folder), self.identity.owner, self.identity.group)
        self._configure()

    def stop(self, log: int) -> None:
        """Stop a server that this process's supervisor did not start; leave one alone that is already stopping."""
        pg_ctl = self.installation.program("pg_ctl")
        with suppress(subprocess.CalledProcessError):
            self.identity.run([pg_ctl, "stop", "--mode=fast", "--pgdata", str(self.data)], output=log)

    def _make_data(self, log: int) -> None:
        making = Path(tempfile.mkdtemp(prefix="initdb-", dir=self.folder))
        try:
            os.chown(making, self.identity.owner, self.identity.group)
            self._initialise(making, log)
            making.rename(self.data)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
        write_through(self.folder)

    def _initialise(self, data: Path, log: int) -> None:
        initdb = [self.installation.program("initdb"), "-D", str(data)]
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        access = ["--username=postgres", "--auth-local=trust", "--auth-host=reject"]
        single_user = [self.installation.program("postgres"), "--single", "-j", "-D", str(data), "-c", "fsync=off"]
        databases = [f"CREATE DATABASE {name};" for name in DATABASES]
        roles = (shipped("sql") / "roles.sql").read_text("utf-8")
        statements = "".join(f"{statement}\n\n" for statement in [*databases, roles])
        self.identity.run([*initdb, *locale, *access, "--no-sync", "--no-instructions"], output=log)
        self.identity.run([*single_user, "-c", "exit_on_error=on", "postgres"], text=statements, output=log)
        self.identity.run([*initdb, "--sync-only", f"--sync-method={SYNC_METHOD}"], output=log)

    def _configure(self) -> None:
        for leftover in self.folder.glob(f"{UNFINISHED}*"):
            leftover.unlink()
        with replacing(self.folder / "postgresql.conf") as file:
            file.write_text(configuration(socket_folder(self.folder)))
            file.chmod(0o644)
