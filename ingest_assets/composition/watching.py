"""What `ingest watch` is made of, by the kind of its source."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest_assets.domain.errors import PermanentError

if TYPE_CHECKING:
    from ingest_assets.composition.deployment import Deployment
    from ingest_assets.domain.documents.document import UserId
    from ingest_assets.domain.documents.metadata import Metadata
    from ingest_assets.domain.queue.jobs import Actor
    from ingest_assets.pipeline.bucket_arrivals import BucketArrivals
    from ingest_assets.pipeline.folder_arrivals import FolderArrivals, WatchedPlaces
    from ingest_assets.pipeline.ports.watching import EventSource
    from ingest_assets.pipeline.watch import Unlist


@dataclass(frozen=True)
class Wanted:
    """Whose the documents are, and what is to happen to them."""

    user_id: "UserId"
    actor: "Actor"
    metadata: "Metadata"
    priority: int = 0
    unlist: "Unlist | None" = None
    """What unlists the documents of files that are gone, if these are to be removed at all."""


def watched_folders(
    deployment: "Deployment", places: "WatchedPlaces", wanted: Wanted, *, settle_seconds: float, pass_seconds: float
) -> "tuple[EventSource, FolderArrivals]":
    """Return what tells the changes in folders, and what takes them in.

    Raises:
        PermanentError: extra_missing.
    """
    from ingest_assets.pipeline.file_intake import FileIntake
    from ingest_assets.pipeline.folder_arrivals import FolderArrivals
    from ingest_assets.pipeline.watch import no_unlisting

    try:
        from ingest_assets.adapters.watched_folders import WatchedFolders
    except ModuleNotFoundError:
        raise PermanentError("extra_missing", what="Watching folders", name="watch") from None
    source = WatchedFolders(places.folders, deployment.clock, settle_seconds=settle_seconds, pass_seconds=pass_seconds)
    intake = FileIntake(
        deployment.intake, deployment.files, wanted.user_id, priority=wanted.priority, metadata=wanted.metadata
    )
    return source, FolderArrivals(
        places,
        intake,
        deployment.files,
        deployment.clock,
        wanted.actor,
        settle_seconds,
        None if wanted.unlist is None else deployment.pruning,
        wanted.unlist or no_unlisting,
    )


def watched_queue(
    deployment: "Deployment", queue: str, wanted: Wanted, *, include: Sequence[str], exclude: Sequence[str]
) -> "tuple[EventSource, BucketArrivals]":
    """Return what delivers the notifications of buckets, and what takes in the objects they are about.

    Raises:
        PermanentError: extra_missing, source_refused, wrong_usage.
        OutageError: source_unreachable.
    """
    from ingest_assets.pipeline.bucket_arrivals import BucketArrivals
    from ingest_assets.pipeline.file_intake import FileIntake
    from ingest_assets.pipeline.pruning import SourcePruning
    from ingest_assets.pipeline.watch import no_unlisting

    try:
        from ingest_assets.adapters.bucket_objects import BucketObjects
        from ingest_assets.adapters.notification_queue import NotificationQueue
    except ModuleNotFoundError:
        raise PermanentError("extra_missing", what="Watching a queue", name="sqs") from None
    objects = BucketObjects(deployment.intake.max_bytes, include, exclude)
    intake = FileIntake(
        deployment.intake, objects, wanted.user_id, verify=True, priority=wanted.priority, metadata=wanted.metadata
    )
    pruning = SourcePruning(deployment.intake_records, deployment.documents, deployment.deletion, objects)
    return NotificationQueue(queue), BucketArrivals(
        objects,
        intake,
        wanted.actor,
        None if wanted.unlist is None else pruning,
        wanted.unlist or no_unlisting,
    )
