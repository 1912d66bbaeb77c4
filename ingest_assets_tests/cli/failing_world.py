"""A folder of files that a deployment takes in, and causes by which their documents fail."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.errors import CATALOGUE, IngestError
from ingest_assets.domain.queue.retry_policy import RetryPolicy
from ingest_assets.domain.queue.stages import State
from ingest_assets_tests.cli.in_process import Here
from ingest_assets_tests.documents import LEASE, drain_all, policy_text, status_of
from ingest_assets_tests.domain.test_errors import FACTS, WORDS


def error_of(code: str) -> IngestError:
    return CATALOGUE[code].error(code, **FACTS, **WORDS)


PATIENT = RetryPolicy(first_delay=timedelta(0), resource_delay=timedelta(hours=1))


@dataclass
class World:
    """A folder with files, and a deployment that takes them in."""

    ingest: Here
    deployment: Deployment
    folder: Path
    texts: dict[Path, str] = field(default_factory=dict)

    def write(self, name: str) -> Path:
        path = self.folder / name
        self.texts[path] = policy_text(path.stem, 2)
        path.write_text(self.texts[path])
        return path

    def submit(self, name: str = "Dental policy.md") -> DocumentId:
        [submitted] = self.ingest("submit", self.write(name))
        return DocumentId(UUID(submitted["document_id"]))

    def submit_one_for(self, codes: Sequence[str], number: int = 1) -> dict[str, DocumentId]:
        """Submit a document that fails with each code."""
        paths = [self.write(f"{code}.{number}.md") for code in codes]
        submitted = {Path(each["path"]): each["document_id"] for each in self.ingest("submit", *paths)}
        return {code: DocumentId(UUID(submitted[path])) for code, path in zip(codes, paths, strict=True)}

    def fail(self, code: str | None = None) -> None:
        """Let every attempt fail with this code, or with the one in the file's name, until nothing is tried any more.

        Nothing runs: a drain run would wait for the outages among them to end.
        """
        failures = self.deployment.replacing(retry_policy=PATIENT).failures
        while jobs := self.deployment.claims.claim("worker", 100, LEASE):
            for job in jobs:
                error = error_of(code or job.document.filename.partition(".")[0])
                failures.settle(job, error, reported=False)

    def correct_the_files(self) -> None:
        for path, text in self.texts.items():
            path.write_text(f"{text}\n\nNow complete.\n")

    def is_searchable(self, document_id: Any) -> bool:
        drain_all(self.deployment)
        status = status_of(self.deployment, document_id)
        return status.searchable and status.state is State.DONE
