"""What `ingest watch` is made of, by the kind of its source."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest_assets.domain.errors import PermanentError

if TYPE_CHECKING:
    from ingest_assets.composition.deployment import Deployment
    from ingest_assets.domain.documents.document import DocumentId, UserId
    from ingest_assets.domain.documents.metadata import Metadata
    from ingest_assets.domain.queue.jobs import Actor
    from ingest_assets.pipeline.folder_arrivals import FolderArrivals, WatchedPlaces
    from ingest_assets.pipeline.ports.watching import EventSource


@dataclass(frozen=True)
class Wanted:
    """Whose the documents are, and what is to happen to them."""

    user_id: "UserId"
    actor: "Actor"
    metadata: "Metadata"
    priority: int = 0
    unlist: "Callable[[Sequence[DocumentId]], None] | None" = None
    """What unlists the documents of files that are gone, if these are to be removed at all."""


def watched_folders(
    deployment: "Deployment", places: "WatchedPlaces", wanted: Wanted, *, settle_seconds: float, pass_seconds: float
) -> "tuple[EventSource, FolderArrivals]":
    """Return what tells the changes in folders, and what takes them in.

    Raises:
        PermanentError: extra_missing.
    """
    from ingest_assets.pipeline.file_intake import FileIntake
    from ingest_assets.pipeline.folder_arrivals import FolderArrivals, WatchedPruning

    try:
        from ingest_assets.adapters.watched_folders import WatchedFolders
    except ModuleNotFoundError:
        raise PermanentError("extra_missing", what="Watching folders", name="watch") from None
    source = WatchedFolders(places.folders, deployment.clock, settle_seconds=settle_seconds, pass_seconds=pass_seconds)
    intake = FileIntake(
        deployment.intake, deployment.files, wanted.user_id, priority=wanted.priority, metadata=wanted.metadata
    )
    pruning = None if wanted.unlist is None else WatchedPruning(deployment.pruning, wanted.unlist)
    return source, FolderArrivals(places, intake, deployment.clock, wanted.actor, settle_seconds, pruning)
