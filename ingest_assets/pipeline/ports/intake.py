"""What intake needs: what is known of documents and their files, and the file system that these lie on."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from ingest_assets.domain.documents.document import Acceptance, Arrival, UserId
from ingest_assets.domain.files.file_states import KnownFile, NoFile, SeenFile
from ingest_assets.domain.queue.jobs import Actor


class IntakeRecords(Protocol):
    def locate(self, arrivals: Sequence[Arrival]) -> list[Acceptance]:
        """Return what accepting these arrivals would do, in this order; new documents get fresh ids.

        All arrivals belong to one user.
        """

    def accept(
        self, arrivals: Sequence[Arrival], located: Sequence[Acceptance], actor: Actor
    ) -> list[Acceptance] | None:
        """Queue all of these arrivals, whose bytes are stored where they were `located`.

        Returns:
            What became of each; None, with nothing done, if one no longer belongs where it was located.
        """

    def known_files(self, user_id: UserId, paths: Sequence[str]) -> dict[str, KnownFile]:
        """Return the files among these paths that have been taken in before, by path."""

    def remember_files(self, user_id: UserId, files: Mapping[str, KnownFile]) -> None:
        """Keep the sightings of these files, by path, for later; skip files that are not known any more."""

    def paused(self, user_id: UserId) -> AbstractContextManager[None]:
        """Take in nothing of this user while the block runs."""

    def files_below(self, user_id: UserId, folder: str) -> dict[str, int]:
        """Return the paths below `folder` from which the user's documents came, each with its file system's number."""

    def remove_source(self, user_id: UserId, source: str) -> None:
        """Forget that a document of the user came from this source."""


class FileSystem(Protocol):
    def find(self, paths: Iterable[Path]) -> Iterator[SeenFile | NoFile]:
        """Give the files at these paths and below them, in a stable order."""

    def read(self, path: str) -> bytes:
        """Return a file's content, at least its beginning if it is too large.

        Raises:
            PermanentError: path_missing, unreadable_file.
        """

    def is_gone(self, path: str) -> bool:
        """Return whether there certainly is no such file; one that cannot be looked at may be there."""

    def device_at(self, path: str) -> int:
        """Return the number of the file system on which a file at this path lies, or would lie."""
