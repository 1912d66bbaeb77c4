"""What deployments that work on the same database know of each other."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.queue.instances import OtherInstance


class Instances(Protocol):
    """This deployment's lease, and the other ones."""

    def renew(self, dagster_id: str) -> None:
        """Renew this deployment's lease if it is time.

        Args:
            dagster_id: Dagster's own id of its storage.
        """

    def note_look(self) -> None:
        """Note that this deployment's sensor looks at the queue now."""

    def end(self) -> None:
        """End this deployment's lease."""

    def others(self) -> list[OtherInstance]:
        """Return the other deployments that are at work, the oldest first."""

    def is_contested(self) -> bool:
        """Return whether another deployment at work has the same name."""

    def noted_drain_runs(self) -> int:
        """Return how many drain runs this deployment has noted."""

    def reserve(self, wanted: int, *, own: Callable[[], int], most: int) -> int:
        """Return how many more drain runs this deployment may start, and note them with its own.

        Args:
            wanted: How many it would like to have.
            own: Counts how many it has, while no other deployment counts.
            most: How many all deployments together may have.
        """


class Listings(Protocol):
    """Which Dagster lists a document. One does: the last that worked on it or was told of it."""

    def move_here(self, document_ids: Sequence[DocumentId], dagster_id: str) -> None:
        """Note that this Dagster lists the documents; any other one is to unlist them."""

    def moved_away(self, dagster_id: str, limit: int) -> AbstractContextManager[list[DocumentId]]:
        """Yield up to `limit` documents for this Dagster to unlist. If the block ends well, that is done."""
