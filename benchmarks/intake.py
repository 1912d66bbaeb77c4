"""The pipeline's own intake, called in this process."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.deployments import OWNER, Home
from ingest_assets.domain.documents.document import Acceptance, UserId
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.pipeline.intake import IncomingFile
from ingest_assets.pipeline.intake import Intake as PipelineIntake

ACTOR = Actor("benchmark", "a benchmark")


@dataclass(frozen=True, slots=True)
class Intake:
    intake: PipelineIntake

    def file(self, path: Path) -> Acceptance:
        return self.content(path.read_bytes(), path.name, str(path), OWNER)

    def note(self, number: int) -> Acceptance:
        name = note_name(number)
        return self.content(note_text(number), name, f"/notes/{name}", OWNER)

    def content(self, content: bytes, name: str, source: str, owner: UserId) -> Acceptance:
        return self.intake.receive(IncomingFile(content, name, source, owner), ACTOR)


def note_name(number: int) -> str:
    return f"note-{number:06}.md"


def note_text(number: int) -> bytes:
    """A document of one chunk, as long as every other note and different from it."""
    digits = " ".join(f"clause{digit}{place}" for place, digit in enumerate(f"{number:06}"))
    return f"# Note {number:06}\n\nItem {number:06} is covered under {digits}.\n".encode()


def intake_of(home: Home) -> Intake:
    return Intake(home.deployment.intake)
