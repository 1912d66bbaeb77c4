"""Files that are gone take their documents with them, unless it is likelier that their folder is not there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingest_assets.domain.documents.document import Acceptance, UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.pipeline.deletion import delete_document
from ingest_assets.pipeline.ports.deleting import Deletions
from ingest_assets.pipeline.ports.documents import Documents
from ingest_assets.pipeline.ports.intake import FileSystem
from ingest_assets.pipeline.ports.object_store import ObjectStore


@dataclass(frozen=True, slots=True)
class Pruned:
    path: str
    acceptance: Acceptance
    """What the file had come to."""
    deleted: bool
    """False where another source gives the document too."""


def gone_files(
    folders: Sequence[str], user_id: UserId, *, even_all: bool, documents: Documents, files: FileSystem
) -> list[str]:
    """Paths below the folders from which documents came, and where no file is any more.

    Raises PermanentError prune_suspicious where all that came from a folder is gone, or all that came from a file
    system which is not mounted below it now; not so with `even_all`.
    """
    gone: dict[str, None] = {}
    for folder in folders:
        known = documents.files_below(user_id, folder)
        lost = [path for path in known if files.is_gone(path)]
        if not even_all and is_suspicious(known, {path: files.device_at(path) for path in lost}):
            raise PermanentError("prune_suspicious", found=len(lost))
        gone |= dict.fromkeys(lost)
    return list(gone)


def is_suspicious(known: Mapping[str, int], lost: Mapping[str, int]) -> bool:
    """`known` has the file system on which each file lay, `lost` that on which a file at its path would lie now.

    Numbers of file systems change over restarts: one from which another file is still there is mounted, whatever its
    number is now.
    """
    mounted = {device for path, device in known.items() if path not in lost}
    return bool(lost) and (not mounted or any(known[path] not in {now, *mounted} for path, now in lost.items()))


def prune(
    path: str,
    user_id: UserId,
    actor: Actor,
    *,
    documents: Documents,
    deletions: Deletions,
    objects: ObjectStore,
    files: FileSystem,
) -> Pruned | None:
    """None where the file is back, or somebody else has pruned it."""
    with documents.intake_paused(user_id):
        known = documents.known_files(user_id, [path]).get(path)
        if known is None or not files.is_gone(path):
            return None
        document_id = known.acceptance.document_id
        alone = documents.sources(document_id) == [path]
        if alone:
            delete_document(document_id, actor, deletions=deletions, objects=objects)
        else:
            documents.remove_source(user_id, path)
    return Pruned(path, known.acceptance, deleted=alone)
