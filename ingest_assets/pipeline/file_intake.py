"""Files come in from a file system: those that nothing can have happened to are not read."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import PurePath

from ingest_assets.domain.batching import batches
from ingest_assets.domain.documents.document import Acceptance, AcceptanceStatus, Arrival, UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.files.file_states import KnownFile, SeenFile
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.pipeline.intake import check, take_in
from ingest_assets.pipeline.ports.documents import Documents
from ingest_assets.pipeline.ports.object_store import ObjectStore

LOOKED_UP_AT_ONCE = 1000
TAKEN_IN_AT_ONCE = 64
BYTES_AT_ONCE = 64 * 1024 * 1024
READ_AT_ONCE = 8

Known = Mapping[str, KnownFile]
"""By path."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Whose files are read, and how."""

    user_id: UserId
    read: Callable[[str], bytes]
    """The content at a path, at least its beginning where it is above `max_bytes`. Raises PermanentError."""
    max_bytes: int
    verify: bool = False
    """Whether files are read too that nothing can have happened to."""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class NewContent:
    file: SeenFile
    content: bytes
    arrival: Arrival

    def taken_in(self, acceptance: Acceptance) -> KnownFile:
        content_sha = self.arrival.content_sha
        return KnownFile(acceptance, content_sha, self.file.sighting(content_sha))


Found = KnownFile | NewContent | PermanentError


def take_in_files(
    files: Sequence[SeenFile], reading: Reading, *, documents: Documents, objects: ObjectStore, actor: Actor
) -> Iterator[Acceptance | PermanentError]:
    """What became of each file, in order; whatever is wrong with one is its own outcome."""
    for some, known in _looked_up(files, reading, documents):
        read: dict[str, KnownFile | PermanentError] = {}
        for batch in _doubtful(some, known, reading):
            found = _read(batch, known, reading)
            new = [each for each in found.values() if isinstance(each, NewContent)]
            incoming = [(each.content, each.arrival) for each in new]
            accepted = take_in(incoming, documents=documents, objects=objects, actor=actor)
            read |= {path: each for path, each in found.items() if not isinstance(each, NewContent)}
            read |= {each.file.path: each.taken_in(place) for each, place in zip(new, accepted, strict=True)}
        documents.remember_files(reading.user_id, _without_problems(read))
        outcomes: dict[str, KnownFile | PermanentError] = {**known, **read}
        yield from (_outcome(outcomes[file.path]) for file in some)


def changed_files(
    files: Sequence[SeenFile], reading: Reading, *, documents: Documents
) -> Iterator[tuple[bytes, Arrival]]:
    """What would make work if it were taken in; files with which something is wrong would not."""
    for some, known in _looked_up(files, reading, documents):
        for batch in _doubtful(some, known, reading):
            new = [each for each in _read(batch, known, reading).values() if isinstance(each, NewContent)]
            for each, place in zip(new, documents.locate([each.arrival for each in new]), strict=True):
                if place.status is not AcceptanceStatus.UNCHANGED:
                    yield each.content, each.arrival


def _looked_up(
    files: Sequence[SeenFile], reading: Reading, documents: Documents
) -> Iterator[tuple[Sequence[SeenFile], Known]]:
    for first in range(0, len(files), LOOKED_UP_AT_ONCE):
        some = files[first : first + LOOKED_UP_AT_ONCE]
        yield some, documents.known_files(reading.user_id, [file.path for file in some])


def _doubtful(files: Sequence[SeenFile], known: Known, reading: Reading) -> Iterator[list[SeenFile]]:
    """Files that must be read to know what is in them, as many at a time as memory holds."""
    doubtful = [file for file in files if not _is_certain(file, known.get(file.path), reading)]
    return batches(doubtful, lambda file: file.state.size, TAKEN_IN_AT_ONCE, BYTES_AT_ONCE)


def _is_certain(file: SeenFile, known: KnownFile | None, reading: Reading) -> bool:
    if known is None or reading.verify or file.state.size > reading.max_bytes:
        return False
    return known.is_unchanged(file.state)


def _read(batch: Sequence[SeenFile], known: Known, reading: Reading) -> dict[str, Found]:
    with ThreadPoolExecutor(READ_AT_ONCE) as threads:
        found = threads.map(lambda file: _read_one(file, known.get(file.path), reading), batch)
        return dict(zip((file.path for file in batch), found, strict=True))


def _read_one(file: SeenFile, known: KnownFile | None, reading: Reading) -> Found:
    if file.state.size > reading.max_bytes:
        return PermanentError("too_large", limit=reading.max_bytes)
    try:
        content = reading.read(file.path)
        if known is not None and known.content_sha == (content_sha := sha256(content).hexdigest()):
            return replace(known, sighting=file.sighting(content_sha))
        name = PurePath(file.path).name
        arrival = check(content, name, file.path, reading.user_id, reading.max_bytes, reading.priority)
        return NewContent(file, content, arrival)
    except PermanentError as problem:
        return problem


def _without_problems(read: Mapping[str, KnownFile | PermanentError]) -> Known:
    return {path: found for path, found in read.items() if isinstance(found, KnownFile)}


def _outcome(found: KnownFile | PermanentError) -> Acceptance | PermanentError:
    return found.acceptance if isinstance(found, KnownFile) else found
