"""What intake needs: the records of documents and their files, and the file system that holds the files."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from ingest_assets.domain.documents.document import Acceptance, Arrival, DocumentId, UserId
from ingest_assets.domain.documents.metadata import Changes
from ingest_assets.domain.files.file_states import KnownFile, NoFile, SeenFile, SkippedFile
from ingest_assets.domain.queue.jobs import Actor


class IntakeRecords(Protocol):
    def locate(self, arrivals: Sequence[Arrival]) -> list[Acceptance]:
        """Return what accepting these arrivals would do, in order; new documents get fresh ids.

        All arrivals belong to one user.
        """

    def accept(
        self,
        arrivals: Sequence[Arrival],
        located: Sequence[Acceptance],
        actor: Actor,
        are_stored: Callable[[], bool] = ...,
    ) -> list[Acceptance] | None:
        """Queue all of these arrivals, whose bytes are stored where `locate` placed them.

        Attachments, and what was taken out of them before, get the metadata of their parent that they do not have.

        Args:
            arrivals: The arrivals, all of one user.
            located: What `locate` has returned for them.
            actor: Who hands them in.
            are_stored: Tells whether the bytes are still there. It is asked when nobody else may remove them any more.

        Returns:
            What became of each; None, with nothing done, if one of them would now be placed elsewhere, or if bytes are
            gone.

        Raises:
            TransientError: intake_unconfirmed, if it is unknown whether they are queued. After any other exception,
                none of them is.
        """

    def describe(self, user_id: UserId, changes: Mapping[DocumentId, Changes]) -> None:
        """Change the metadata of those of these documents that are the user's, and of all that was taken out of them.

        An attachment keeps what it has differently, and what it has if it would become too much.

        Raises:
            PermanentError: invalid_metadata, if it would become too much.
        """

    def known_files(self, user_id: UserId, paths: Sequence[str]) -> dict[str, KnownFile]:
        """Return those of these paths that were submitted before, with what is known of each file."""

    def remember_files(self, user_id: UserId, files: Mapping[str, KnownFile]) -> None:
        """Keep the sightings of these files, by path, for later; skip files that are no longer known."""

    def paused(self, user_id: UserId) -> AbstractContextManager[Callable[[], None]]:
        """Hold back the user's intake while the block runs, and yield what assures that it is still held back.

        A block that does nothing in the database for some seconds loses its hold. To assure it then raises an
        OutageError, database_unreachable.
        """

    def files_below(self, user_id: UserId, folder: str) -> dict[str, int]:
        """Return the user's sources below `folder`, each with the number of the file system it was on."""

    def remove_source(self, user_id: UserId, source: str) -> None:
        """Forget that a document of the user came from this source."""


class Files(Protocol):
    """Files, wherever they are."""

    def read(self, path: str, within: str | None = None) -> bytes:
        """Return a file's content, or at least its beginning if it is too large.

        Args:
            path: The file.
            within: The folder that its content must not lie outside of.

        Raises:
            PermanentError: path_missing, unreadable_file or link_leaves_folder.
        """

    def is_gone(self, path: str) -> bool:
        """Return whether the file certainly does not exist; a file that cannot be examined may exist."""


class FileSystem(Files, Protocol):
    def find(
        self,
        paths: Iterable[Path],
        *,
        follow_links: bool = False,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        only: Collection[str] | None = None,
    ) -> Iterator[SeenFile | NoFile | SkippedFile]:
        """Yield the files at these paths and below them, in a stable order, and what is skipped below them.

        Args:
            paths: Files and folders, which are never skipped themselves.
            follow_links: Whether to follow links below a path that lead out of it.
            include: Patterns as in `.gitignore`, at least one of which a file below a path is to match.
            exclude: Patterns of what to skip below a path, besides those in the folders' own `.ingestignore`.
            only: The paths that are of interest, with everything below them, if not all are. A file with the metadata
                of another stands for that too, and an ignore file for its folder.

        Raises:
            PermanentError: wrong_usage.
        """

    def device_at(self, path: str) -> int:
        """Return the number of the file system that holds, or would hold, a file at this path."""


class ObjectFiles(Files, Protocol):
    """The objects of buckets, whose paths are like `s3://bucket/key`."""

    def ignores(self, path: str) -> bool:
        """Return whether nobody wants what is at this path."""
