"""Files as their file system shows them: when it is certain, unread, that one still has the content it had."""

from dataclasses import dataclass, field

from ingest_assets.domain.documents.document import Acceptance
from ingest_assets.domain.errors import PermanentError

SLOWEST_CLOCK_NS = 2_000_000_000
"""FAT's times have steps of two seconds; every other file system's are finer."""


@dataclass(frozen=True, slots=True)
class FileState:
    """Whoever changes a file's content changes this too, as soon as the file system's clock has moved on."""

    size: int
    modified_ns: int
    """Since 1970, as `changed_ns`; programs can set it to anything."""
    changed_ns: int
    """When the content or anything else about the file changed; no program can set it."""
    inode: int
    device: int = field(compare=False)
    """The file system it lies on; the number may be another one after a restart."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A file's state, taken before its content was read, and what was read."""

    state: FileState
    seen_ns: int
    """When the state was taken, by this machine's clock."""
    content_sha: str

    def still_holds(self, state: FileState) -> bool:
        """Whether a file in this state certainly has the content that was seen.

        Never where it had changed just before it was seen: the clock may have stood still through another change.
        """
        last_change = max(self.state.modified_ns, self.state.changed_ns)
        return state == self.state and last_change <= self.seen_ns - SLOWEST_CLOCK_NS


@dataclass(frozen=True, slots=True)
class SeenFile:
    path: str
    """Absolute: the source of its document."""
    state: FileState
    seen_ns: int

    def sighting(self, content_sha: str) -> Sighting:
        """Of a content that was read after the state was taken."""
        return Sighting(self.state, self.seen_ns, content_sha)


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What the system holds of a file that was taken in before."""

    acceptance: Acceptance
    """What it comes to when the file is taken in with the same content again."""
    content_sha: str
    """Of its document."""
    sighting: Sighting | None
    """The last one; None where it came by another way than from a file."""

    def is_unchanged(self, state: FileState) -> bool:
        """Whether a file in this state certainly has the content that its document has."""
        sighting = self.sighting
        return sighting is not None and sighting.content_sha == self.content_sha and sighting.still_holds(state)


@dataclass(frozen=True, slots=True)
class NoFile:
    """A path at which there is no file to take in."""

    path: str
    problem: PermanentError
