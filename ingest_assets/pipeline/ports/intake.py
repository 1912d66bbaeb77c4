"""What intake needs: the records of documents and their files, and the file system that holds the files."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from ingest_assets.domain.documents.document import Acceptance, Arrival, UserId
from ingest_assets.domain.files.file_states import KnownFile, NoFile, SeenFile
from ingest_assets.domain.queue.jobs import Actor


class IntakeRecords(Protocol):
    def locate(self, arrivals: Sequence[Arrival]) -> list[Acceptance]:
        """Return what accepting these arrivals would do, in order; new documents get fresh ids.

        All arrivals belong to one user.
        """

    def accept(
        self, arrivals: Sequence[Arrival], located: Sequence[Acceptance], actor: Actor
    ) -> list[Acceptance] | None:
        """Queue all of these arrivals, whose bytes are stored where `locate` placed them.

        Returns:
            What became of each; None, with nothing done, if one of them would now be placed elsewhere.
        """

    def known_files(self, user_id: UserId, paths: Sequence[str]) -> dict[str, KnownFile]:
        """Return those of these paths that were submitted before, with what is known of each file."""

    def remember_files(self, user_id: UserId, files: Mapping[str, KnownFile]) -> None:
        """Keep the sightings of these files, by path, for later; skip files that are no longer known."""

    def paused(self, user_id: UserId) -> AbstractContextManager[None]:
        """Hold back the user's intake while the block runs."""

    def files_below(self, user_id: UserId, folder: str) -> dict[str, int]:
        """Return the user's sources below `folder`, each with the number of the file system it was on."""

    def remove_source(self, user_id: UserId, source: str) -> None:
        """Forget that a document of the user came from this source."""


class FileSystem(Protocol):
    def find(self, paths: Iterable[Path]) -> Iterator[SeenFile | NoFile]:
        """Yield the files at these paths and below them, in a stable order."""

    def read(self, path: str) -> bytes:
        """Return a file's content, or at least its beginning if it is too large.

        Raises:
            PermanentError: path_missing or unreadable_file.
        """

    def is_gone(self, path: str) -> bool:
        """Return whether the file certainly does not exist; a file that cannot be examined may exist."""

    def device_at(self, path: str) -> int:
        """Return the number of the file system that holds, or would hold, a file at this path."""
