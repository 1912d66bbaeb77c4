"""The documents of a run: what lies on disk, what the intake has accepted, and what may become of each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from uuid import UUID

from ingest_assets_tests.faults.harness.documents.marks import KINDS, content
from ingest_assets_tests.faults.harness.documents.poison import POISONS, Poison

USERS = tuple(UUID(f"00000000-0000-4000-8000-0000000000{number}") for number in (11, 12, 13))


@dataclass(slots=True)
class Paper:
    """One document, as its owner knows it."""

    number: int
    user: UUID
    path: Path
    kind: str
    poison: Poison | None = None
    written: int = 1
    """The version on disk."""
    accepted: int = 0
    """The newest version that the intake has accepted."""
    document_id: UUID | None = None
    deleting: bool = False
    """Whether its owner has asked to delete it."""
    deleted: bool = False

    @property
    def is_pending(self) -> bool:
        return self.accepted < self.written and not self.deleting


@dataclass(slots=True)
class Library:
    folder: Path
    chance: Random
    papers: list[Paper] = field(default_factory=list)

    def write_new(self, count: int, kind: str | None = None) -> list[Paper]:
        """Write documents of one user that land."""
        owner = self.chance.choice(USERS)
        return [self._add(owner, kind or self.chance.choice(KINDS)) for _ in range(count)]

    def write_poison(self, poison: Poison) -> Paper:
        return self._add(self.chance.choice(USERS), poison.kind, poison)

    def write_poisons(self, share: float, documents: int) -> list[Paper]:
        """Write the share of poison documents, by turns of each cause."""
        return [self.write_poison(POISONS[number % len(POISONS)]) for number in range(round(share * documents))]

    def write_version(self, paper: Paper) -> None:
        """Write the next version of a document."""
        paper.written += 1
        paper.path.write_bytes(content(paper.kind, paper.number, paper.written))

    def repair(self, paper: Paper) -> None:
        """Remove the cause in a poison document's file."""
        assert paper.poison is not None
        if not paper.poison.in_service:
            paper.written += 1
            paper.path.write_bytes(paper.poison.repaired(paper.number))

    def pending(self) -> Iterator[tuple[UUID, list[Paper]]]:
        """Yield what has yet to be submitted, by user."""
        for user in USERS:
            if papers := [paper for paper in self.papers if paper.user == user and paper.is_pending]:
                yield user, papers

    def good(self) -> list[Paper]:
        """Return those that must land."""
        return [paper for paper in self.papers if paper.poison is None and not paper.deleting]

    def poisoned(self) -> list[Paper]:
        return [paper for paper in self.papers if paper.poison is not None]

    def by_path(self, paths: Iterable[str]) -> dict[str, Paper]:
        wanted = set(paths)
        return {str(paper.path): paper for paper in self.papers if str(paper.path) in wanted}

    def _add(self, owner: UUID, kind: str, poison: Poison | None = None) -> Paper:
        number = len(self.papers) + 1
        path = self.folder / str(owner) / f"claim {number}.{kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        paper = Paper(number, owner, path, kind, poison)
        path.write_bytes(poison.make(number) if poison else content(kind, number, 1))
        self.papers.append(paper)
        return paper
