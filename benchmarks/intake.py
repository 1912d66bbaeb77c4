"""The pipeline's own intake, called in this process."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.deployments import OWNER, Home
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.documents import PostgresDocuments
from ingest_assets.domain.documents import Acceptance, UserId
from ingest_assets.pipeline.intake import receive
from ingest_assets.pipeline.ports import Documents, ObjectStore

MAX_BYTES = 25 * 2**20


@dataclass(frozen=True, slots=True)
class Intake:
    documents: Documents
    objects: ObjectStore

    def file(self, path: Path) -> Acceptance:
        return self.content(path.read_bytes(), path.name, str(path), OWNER)

    def note(self, number: int) -> Acceptance:
        """A document of one chunk that differs from every other number's."""
        digits = " ".join(f"clause{digit}{place}" for place, digit in enumerate(f"{number:06}"))
        text = f"# Note {number}\n\nItem {number} is covered under {digits}.\n"
        name = f"note-{number:06}.md"
        return self.content(text.encode(), name, f"/notes/{name}", OWNER)

    def content(self, content: bytes, name: str, source: str, owner: UserId) -> Acceptance:
        documents, objects = self.documents, self.objects
        return receive(
            content, name, source, owner, documents=documents, objects=objects, max_bytes=MAX_BYTES, actor="benchmark"
        )


def intake_of(home: Home) -> Intake:
    services = home.deployment.services
    return Intake(services.documents, services.objects)


def take_in_notes(home: Home, count: int) -> None:
    """Faster than it would be safe: nothing waits for the disk before the end."""
    database = Database(home.deployment.database_url + "&options=-csynchronous_commit%3Doff")
    intake = Intake(PostgresDocuments(database), UnsyncedFiles(home.deployment.settings.objects_folder))
    with ThreadPoolExecutor(2) as pool:
        for _ in pool.map(intake.note, range(count)):
            pass
    database.close()
    for statement in ("CHECKPOINT", "VACUUM ANALYZE"):
        home.execute(statement)
    os.sync()


@dataclass(frozen=True, slots=True)
class UnsyncedFiles:
    """An object store that keeps its keys where the deployment's own does."""

    folder: Path

    def put(self, key: str, content: bytes) -> None:
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def get(self, key: str) -> bytes:
        return (self.folder / key).read_bytes()

    def delete_below(self, prefix: str) -> int:
        raise NotImplementedError
