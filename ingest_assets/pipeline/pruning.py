"""Remove the documents of files that are gone, unless it is more likely that their folder is not mounted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingest_assets.domain.documents.document import Acceptance, UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.pipeline.deletion import Deletion
from ingest_assets.pipeline.ports.intake import Files, FileSystem, IntakeRecords
from ingest_assets.pipeline.ports.reading import Documents


@dataclass(frozen=True, slots=True)
class Pruned:
    path: str
    acceptance: Acceptance
    """What the file had become."""
    deleted: bool
    """Whether the document was deleted; it was not if it has another source."""


@dataclass(frozen=True)
class SourcePruning:
    records: IntakeRecords
    documents: Documents
    deletion: Deletion
    files: Files

    def prune(self, path: str, user_id: UserId, actor: Actor) -> Pruned | None:
        """Remove what came from a path, and return it, or None if the file is back or was pruned by another run.

        Intake waits only until the rows are gone: the store may be slow.

        Raises:
            OutageError: database_unreachable, also if it took so long to look at the path that intake went on; then
                nothing is removed.
            TransientError: As `Deletion.delete`; the document is gone, and the deletion is finished later.
        """
        with self.records.paused(user_id) as assure:
            known = self.records.known_files(user_id, [path]).get(path)
            if known is None or not self.files.is_gone(path):
                return None
            document_id = known.acceptance.document_id
            alone = self.documents.sources(document_id) == [path]
            assure()
            gone = self.deletion.delete_rows(document_id, actor) if alone else []
            if not alone:
                self.records.remove_source(user_id, path)
        for each in gone:
            self.deletion.delete(each, actor)
        return Pruned(path, known.acceptance, deleted=alone)


@dataclass(frozen=True)
class Pruning(SourcePruning):
    """Removes the documents of files that are gone from folders."""

    files: FileSystem

    def gone_files(self, folders: Sequence[str], user_id: UserId, *, even_all: bool) -> list[str]:
        """Return the paths below the folders that documents came from and where no file exists any more.

        Args:
            folders: The folders to look at.
            user_id: Whose documents to look at.
            even_all: Whether to accept a suspicious result.

        Raises:
            PermanentError: prune_suspicious, if everything from a folder is gone, or everything from a file system that
                is no longer mounted below it.
        """
        gone: dict[str, None] = {}
        for folder in folders:
            known = self.records.files_below(user_id, folder)
            lost = [path for path in known if self.files.is_gone(path)]
            if not even_all and is_suspicious(known, {path: self.files.device_at(path) for path in lost}):
                raise PermanentError("prune_suspicious", found=len(lost))
            gone |= dict.fromkeys(lost)
        return list(gone)


def is_suspicious(known: Mapping[str, int], lost: Mapping[str, int]) -> bool:
    """Return whether the files are likelier to be unmounted than gone.

    The number of a file system may change when the machine restarts. If any file from one is still there, it is
    mounted, whatever its number is now.

    Args:
        known: The file system on which each file lay, by path.
        lost: The file system on which each missing file would lie now, by path.
    """
    mounted = {device for path, device in known.items() if path not in lost}
    return bool(lost) and (not mounted or any(known[path] not in {now, *mounted} for path, now in lost.items()))
