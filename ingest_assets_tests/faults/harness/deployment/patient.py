"""A deployment as it is run for real, with its users: what the faults strike."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from ingest_assets_tests.faults.harness.deployment.database import Onlooker
from ingest_assets_tests.faults.harness.deployment.kept_up import KeptUp
from ingest_assets_tests.faults.harness.deployment.services import Services, serving
from ingest_assets_tests.faults.harness.deployment.store import Store, made_store
from ingest_assets_tests.faults.harness.documents.library import Library, Paper
from ingest_assets_tests.system.ingest import INGEST, Ingest, Ran

COMMAND_SECONDS = 120
QUICK = {
    "INGEST_FEW_JOBS": "2",
    "INGEST_DRAIN_IDLE_SECONDS": "2",
    "INGEST_SENSOR_SECONDS": "1",
    "INGEST_BREAKER_OPEN_SECONDS": "5",
    "INGEST_PARSE_SECONDS": "30",
}


@dataclass
class Clients:
    """Those who use a deployment: what they submit, and what it tells and charges them."""

    folder: Path
    lease: timedelta
    ingest: Ingest
    database: Onlooker
    services: Services
    library: Library
    complaints: list[str] = field(default_factory=list, init=False)
    """What commands did wrong."""

    @property
    def home(self) -> Path:
        return self.folder / "ingest"

    def command(self, *arguments: object, timeout: float = COMMAND_SECONDS) -> Ran | None:
        """Run a command; None if it hangs, which is a complaint."""
        with self.start_command(*arguments) as process:
            try:
                told, messages = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                self.complaints.append(f"`ingest {arguments[0]}` took longer than {timeout:.0f} s")
                return None
        if "Traceback" in messages:
            self.complaints.append(f"`ingest {arguments[0]}` printed a traceback")
        return Ran(process.returncode, told, messages)

    def start_command(self, *arguments: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(INGEST), *map(str, arguments)],
            env=self.ingest.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def submit_pending(self, timeout: float = COMMAND_SECONDS) -> bool:
        """Submit what its owners have not seen accepted yet; whether all of it is accepted now."""
        for user, papers in self.library.pending():
            written = {str(paper.path): paper.written for paper in papers}
            ran = self.command("submit", *written, "--user", user, "--json", timeout=timeout)
            if ran is not None:
                self.note_accepted(ran.stdout, written)
        return not any(True for _ in self.library.pending())

    def note_accepted(self, told: str, written: dict[str, int]) -> None:
        """Believe what `ingest submit` printed, if it printed all of it."""
        try:
            results: list[dict[str, Any]] = json.loads(told)
        except ValueError:
            return
        papers = self.library.by_path(result["path"] for result in results)
        for result in results:
            paper = papers[result["path"]]
            if result["status"] == "rejected":
                self._note_rejected(paper, str(result["code"]), written[result["path"]])
            else:
                paper.accepted, paper.document_id = written[result["path"]], UUID(result["document_id"])

    def _note_rejected(self, paper: Paper, code: str, version: int) -> None:
        if paper.poison is not None and code in paper.poison.codes:
            paper.accepted = version  # its owner knows why
        else:
            self.complaints.append(f"`ingest submit` rejected a good document: {code}")

    def delete(self, paper: Paper) -> None:
        """Delete a document as its owner does; where that fails it is tried again later."""
        paper.deleting = True
        ran = self.command("delete", paper.document_id, "--json")
        if ran is not None:
            paper.deleted = ran.code == 0 or "unknown_document" in ran.stderr


@dataclass
class Patient(Clients):
    """The deployment on one host, with its users."""

    up: KeptUp
    store: Store


@contextmanager
def admitted(folder: Path, chance: Random, lease_seconds: int) -> Iterator[Patient]:
    """Yield a deployment that runs, and stop it with the block."""
    with serving() as services, made_store(folder) as store:
        extra = QUICK | services.environment
        extra |= {"INGEST_LEASE_SECONDS": str(lease_seconds), "INGEST_STORAGE_URL": store.url}
        ingest = Ingest(folder, tuple(extra.items()))
        up = KeptUp(ingest, folder / "up.log")
        database = Onlooker(folder / "ingest")
        library = Library(folder / "documents", chance)
        patient = Patient(folder, timedelta(seconds=lease_seconds), ingest, database, services, library, up, store)
        try:
            up.start()
            yield patient
        finally:
            up.stop()
