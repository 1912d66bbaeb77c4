"""Take in what has changed in folders, once it has settled."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest_assets.domain.documents.document import Acceptance, AcceptanceStatus
from ingest_assets.domain.errors import IngestError, PermanentError
from ingest_assets.domain.files.file_states import FileState, NoFile, SeenFile, SkippedFile
from ingest_assets.domain.files.skipping import SkipReason, skip_reason_of_problem
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.pipeline.file_intake import FileIntake
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.intake import FileSystem
from ingest_assets.pipeline.ports.watching import Notice
from ingest_assets.pipeline.pruning import Pruning
from ingest_assets.pipeline.watch import Outcome, Tell, Unlist, no_unlisting


@dataclass(frozen=True)
class WatchedPlaces:
    """The folders that a person names, and what of them they want."""

    folders: Sequence[Path]
    """Absolute paths."""
    follow_links: bool = False
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()


@dataclass
class FolderArrivals:
    """A notice is a path: of a file, or of a folder with everything below it, such as one of those that are watched."""

    places: WatchedPlaces
    intake: FileIntake
    files: FileSystem
    clock: Clock
    actor: Actor
    settle_seconds: float
    """How long a file must not have changed before it is taken in."""
    pruning: Pruning | None = None
    unlist: Unlist = no_unlisting
    _unsettled: dict[str, tuple[FileState, float]] = field(default_factory=dict, init=False)
    """Files that have just changed: their state, and since when they have been seen in it."""
    _problems: dict[str, str] = field(default_factory=dict, init=False)
    """What was told to be wrong, by path."""

    def take_in(self, notices: Sequence[Notice], tell: Tell) -> list[Notice]:
        paths = {notice.content for notice in notices}
        is_pass = bool(paths.intersection(map(str, self.places.folders)))
        told = self._what_is_new(tell) if is_pass else self._everything(tell)
        found = list(self._found(paths))
        settled = [each for each in found if not isinstance(each, SeenFile) or self._is_settled(each)]
        for outcome in self._taken_in(settled):
            told(outcome)
        if self.pruning is not None and (is_pass or any(map(self.files.is_gone, paths))):
            missing = {each.path for each in found if isinstance(each, NoFile)}
            self._prune(
                self.pruning, [folder for folder in map(str, self.places.folders) if folder not in missing], tell
            )
        taken = {each.path for each in settled}
        return [Notice(each.path) for each in found if each.path not in taken]

    def _found(self, paths: set[str]) -> Iterator[SeenFile | NoFile | SkippedFile]:
        places = self.places
        return self.files.find(
            places.folders,
            follow_links=places.follow_links,
            include=places.include,
            exclude=places.exclude,
            only=paths,
        )

    def _is_settled(self, file: SeenFile) -> bool:
        """Return whether a file has rested long enough, by the file system's clock or, if that is wrong, by ours."""
        changed_ns = max(file.state.modified_ns, file.state.changed_ns)
        now = self.clock.seconds()
        state, since = self._unsettled.get(file.path, (None, now))
        if state != file.state:
            since = now
        if changed_ns <= file.seen_ns - self.settle_seconds * 1e9 or now - since >= self.settle_seconds > 0:
            self._unsettled.pop(file.path, None)
            return True
        self._unsettled[file.path] = (file.state, since)
        return False

    def _taken_in(self, found: Sequence[SeenFile | NoFile | SkippedFile]) -> Iterator[Outcome]:
        for each in found:
            if isinstance(each, NoFile):
                yield Outcome(each.path, each.problem)
            elif isinstance(each, SkippedFile):
                yield Outcome(each.path, each.reason)
        files = [each for each in found if isinstance(each, SeenFile)]
        for file, outcome in zip(files, self.intake.take_in(files, self.actor), strict=True):
            reason = skip_reason_of_problem(outcome.code) if isinstance(outcome, PermanentError) else None
            yield Outcome(file.path, reason or outcome)

    def _prune(self, pruning: Pruning, folders: Sequence[str], tell: Tell) -> None:
        for folder in folders:
            try:
                gone = pruning.gone_files([folder], self.intake.user_id, even_all=False)
            except PermanentError as problem:
                self._what_is_new(tell)(Outcome(folder, problem))
                continue
            for path in gone:
                pruned = pruning.prune(path, self.intake.user_id, self.actor)
                if pruned is not None:
                    self.unlist(pruned)
                    self._everything(tell)(Outcome(path, pruned))

    def _everything(self, tell: Tell) -> Tell:
        def told(outcome: Outcome) -> None:
            self._note(outcome)
            tell(outcome)

        return told

    def _what_is_new(self, tell: Tell) -> Tell:
        """Tell nothing that was so before: passes over whole folders see it again and again."""

        def told(outcome: Outcome) -> None:
            known = self._problems.get(outcome.source)
            problem = self._note(outcome)
            if problem is None:
                is_new = not isinstance(outcome.became, SkipReason) and not _is_unchanged(outcome)
            else:
                is_new = problem != known
            if is_new:
                tell(outcome)

        return told

    def _note(self, outcome: Outcome) -> str | None:
        if isinstance(outcome.became, IngestError):
            self._problems[outcome.source] = outcome.became.code
            return outcome.became.code
        self._problems.pop(outcome.source, None)
        return None


def _is_unchanged(outcome: Outcome) -> bool:
    return isinstance(outcome.became, Acceptance) and outcome.became.status is AcceptanceStatus.UNCHANGED
