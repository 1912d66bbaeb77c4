"""When the state of a file proves, without reading it, that it still has the content it had."""

from dataclasses import dataclass, field

from ingest_assets.domain.documents.document import Acceptance
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.errors.remedies import Remedy, remedy_of
from ingest_assets.domain.files.skipping import SkipReason

SLOWEST_CLOCK_NS = 2_000_000_000
"""FAT keeps times in steps of two seconds; every other file system is finer."""


@dataclass(frozen=True, slots=True)
class FileState:
    """What the file system tells of a file; it changes with the content once the file system's clock has moved on."""

    size: int
    modified_ns: int
    """Nanoseconds since 1970, as for `changed_ns`; programs can set this time to anything."""
    changed_ns: int
    """When the content or anything else about the file last changed; no program can set it."""
    inode: int
    device: int = field(compare=False)
    """The file system that holds the file; its number may change when the machine restarts."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was read from a file, and the file's state just before."""

    state: FileState
    seen_ns: int
    """When the state was taken, by this machine's clock."""
    content_sha: str

    def still_holds(self, state: FileState) -> bool:
        """Return whether a file in this state certainly has the content that was seen.

        It is never certain if the file had changed just before: the clock may have stood still through a second change.
        """
        last_change = max(self.state.modified_ns, self.state.changed_ns)
        return state == self.state and last_change <= self.seen_ns - SLOWEST_CLOCK_NS


@dataclass(frozen=True, slots=True)
class SeenFile:
    path: str
    """The absolute path, which is the source of the document."""
    state: FileState
    seen_ns: int
    within: str | None = None
    """The folder that its content must not lie outside of, whatever links say; None if links may lead anywhere."""
    is_named: bool = True
    """Whether a person named it, and not only a folder above it."""
    sidecar: str | None = None
    """The path of the file beside it that holds its metadata, if there is one."""

    def sighting(self, content_sha: str) -> Sighting:
        """Return a sighting with a content that was read after the state was taken."""
        return Sighting(self.state, self.seen_ns, content_sha)


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What the system knows of a file that was handed in before."""

    acceptance: Acceptance
    """The result of handing in the file again with the same content."""
    content_sha: str
    """The hash of its document's content."""
    sighting: Sighting | None
    """The last sighting; None if the content did not come from a file."""

    @property
    def is_wanted(self) -> bool:
        """Return whether even the same content is wanted, because the stored bytes are gone."""
        return remedy_of(self.acceptance.failure) is Remedy.RESUBMIT

    def is_unchanged(self, state: FileState) -> bool:
        """Return whether a file in this state certainly has its document's content."""
        sighting = self.sighting
        return sighting is not None and sighting.content_sha == self.content_sha and sighting.still_holds(state)


@dataclass(frozen=True, slots=True)
class NoFile:
    """A path with no file to hand in."""

    path: str
    problem: PermanentError


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """Something in a folder that is no document."""

    path: str
    reason: SkipReason
