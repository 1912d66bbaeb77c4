"""Intake from a file system; files that cannot have changed are not read."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import PurePath

from ingest_assets.domain.batching import batches
from ingest_assets.domain.documents.document import Acceptance, AcceptanceStatus, UserId
from ingest_assets.domain.documents.metadata import Metadata, parse_metadata
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.files.file_states import KnownFile, SeenFile
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.pipeline.intake import CheckedFile, IncomingFile, Intake
from ingest_assets.pipeline.ports.intake import Files

LOOKED_UP_AT_ONCE = 1000
TAKEN_IN_AT_ONCE = 64
BYTES_AT_ONCE = 64 * 1024 * 1024
READ_AT_ONCE = 8

Known = Mapping[str, KnownFile]
"""Known files by path."""


@dataclass(frozen=True, slots=True)
class NewContent:
    file: SeenFile
    checked: CheckedFile

    def taken_in(self, acceptance: Acceptance) -> KnownFile:
        content_sha = self.checked.arrival.content_sha
        return KnownFile(acceptance, content_sha, self.file.sighting(content_sha))


Found = KnownFile | NewContent | PermanentError


@dataclass(frozen=True)
class FileIntake:
    """Queues one user's files."""

    intake: Intake
    files: Files
    user_id: UserId
    verify: bool = False
    """Whether to read even files that cannot have changed."""
    priority: int = 0
    restore: bool = False
    """Whether to read all files, and to store the bytes of unchanged ones again if they are gone or damaged."""
    metadata: Metadata = field(default_factory=dict)
    """What is known about all of the files; a file beside one of them may say more, and counts for more."""

    def take_in(self, files: Sequence[SeenFile], actor: Actor) -> Iterator[Acceptance | PermanentError]:
        """Yield what became of each file, in order, as soon as it is certain; a problem is its file's own outcome."""
        for some, known in self._looked_up(files):
            metadata = {file.path: self._metadata_of(file) for file in some}
            outcomes: dict[str, KnownFile | PermanentError] = {**known}
            outcomes |= {path: problem for path, problem in metadata.items() if isinstance(problem, PermanentError)}
            waiting = iter(some)
            readable = [file for file in some if not isinstance(outcomes.get(file.path), PermanentError)]
            for batch in self._doubtful(readable, known):
                outcomes |= self._read_and_taken_in(batch, known, actor)
                yield from self._settled([*_up_to(batch[-1], waiting)], outcomes, metadata)
            yield from self._settled([*waiting], outcomes, metadata)

    def changed(self, files: Sequence[SeenFile]) -> Iterator[CheckedFile]:
        """Yield the files that would make work if they were submitted; files with problems would not."""
        for some, known in self._looked_up(files):
            for batch in self._doubtful(some, known):
                new = [each.checked for each in self._read(batch, known).values() if isinstance(each, NewContent)]
                located = self.intake.records.locate([each.arrival for each in new])
                for each, place in zip(new, located, strict=True):
                    if place.status is not AcceptanceStatus.UNCHANGED:
                        yield each

    def _read_and_taken_in(
        self, batch: Sequence[SeenFile], known: Known, actor: Actor
    ) -> dict[str, KnownFile | PermanentError]:
        found = self._read(batch, known)
        new = [each for each in found.values() if isinstance(each, NewContent)]
        accepted = self.intake.take_in([each.checked for each in new], actor)
        read = {path: each for path, each in found.items() if not isinstance(each, NewContent)}
        read |= {each.file.path: each.taken_in(place) for each, place in zip(new, accepted, strict=True)}
        self.intake.records.remember_files(self.user_id, _without_problems(read))
        return read

    def _settled(
        self,
        files: Sequence[SeenFile],
        outcomes: Mapping[str, KnownFile | PermanentError],
        metadata: Mapping[str, Metadata | PermanentError],
    ) -> Iterator[Acceptance | PermanentError]:
        self._describe({file.path: outcomes[file.path] for file in files}, metadata)
        yield from (_outcome(outcomes[file.path]) for file in files)

    def _metadata_of(self, file: SeenFile) -> Metadata | PermanentError:
        if file.sidecar is None:
            return self.metadata
        try:
            return {**self.metadata, **parse_metadata(self.files.read(file.sidecar, file.within))}
        except PermanentError as problem:
            return problem

    def _describe(
        self, outcomes: Mapping[str, KnownFile | PermanentError], metadata: Mapping[str, Metadata | PermanentError]
    ) -> None:
        changes = {
            outcome.acceptance.document_id: known
            for path, outcome in outcomes.items()
            if isinstance(outcome, KnownFile) and (known := metadata[path]) and not isinstance(known, PermanentError)
        }
        if changes:
            self.intake.records.describe(self.user_id, changes)

    def _looked_up(self, files: Sequence[SeenFile]) -> Iterator[tuple[Sequence[SeenFile], Known]]:
        for first in range(0, len(files), LOOKED_UP_AT_ONCE):
            some = files[first : first + LOOKED_UP_AT_ONCE]
            yield some, self.intake.records.known_files(self.user_id, [file.path for file in some])

    def _doubtful(self, files: Sequence[SeenFile], known: Known) -> Iterator[list[SeenFile]]:
        """Yield the files whose content must be read, in batches that fit into memory."""
        doubtful = [file for file in files if not self._is_certain(file, known.get(file.path))]
        return batches(doubtful, lambda file: file.state.size, TAKEN_IN_AT_ONCE, BYTES_AT_ONCE)

    def _is_certain(self, file: SeenFile, known: KnownFile | None) -> bool:
        if known is None or known.is_wanted or self.verify or self.restore or file.state.size > self.intake.max_bytes:
            return False
        return known.is_unchanged(file.state)

    def _read(self, batch: Sequence[SeenFile], known: Known) -> dict[str, Found]:
        with ThreadPoolExecutor(READ_AT_ONCE) as threads:
            found = threads.map(lambda file: self._read_one(file, known.get(file.path)), batch)
            return dict(zip((file.path for file in batch), found, strict=True))

    def _read_one(self, file: SeenFile, known: KnownFile | None) -> Found:
        if file.state.size > self.intake.max_bytes:
            return PermanentError("too_large", limit=self.intake.max_bytes)
        try:
            content = self.files.read(file.path, file.within)
            content_sha = sha256(content).hexdigest()
            if known is not None and known.content_sha == content_sha and not known.is_wanted:
                if self.restore:
                    self.intake.restore(self.user_id, known.acceptance.document_id, content)
                return replace(known, sighting=file.sighting(content_sha))
            name = PurePath(file.path).name
            incoming = IncomingFile(content, name, file.path, self.user_id, self.priority)
            return NewContent(file, self.intake.check(incoming))
        except PermanentError as problem:
            return problem


def _up_to(last: SeenFile, files: Iterator[SeenFile]) -> Iterator[SeenFile]:
    for file in files:
        yield file
        if file is last:
            return


def _without_problems(read: Mapping[str, KnownFile | PermanentError]) -> Known:
    return {path: found for path, found in read.items() if isinstance(found, KnownFile)}


def _outcome(found: KnownFile | PermanentError) -> Acceptance | PermanentError:
    return found.acceptance if isinstance(found, KnownFile) else found
