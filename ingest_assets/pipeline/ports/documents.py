"""Documents."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from ingest_assets.domain.documents.document import Acceptance, Arrival, Document, Producer, StoredParse, UserId
from ingest_assets.domain.documents.outdated import OutdatedDocument
from ingest_assets.domain.files.file_states import KnownFile
from ingest_assets.domain.queue.jobs import Actor, Job, Payload
from ingest_assets.pipeline.ports.reading import SeenDocuments


class Documents(SeenDocuments, Protocol):
    """Documents and their history. What a write returns is its event's payload, with the step's seconds in it."""

    def locate(self, arrivals: Sequence[Arrival]) -> list[Acceptance]:
        """What accepting these, of one user and in this order, would do; ids are fresh where one makes a document."""

    def accept(
        self, arrivals: Sequence[Arrival], located: Sequence[Acceptance], actor: Actor
    ) -> list[Acceptance] | None:
        """Takes in what is stored where it was `located`, all at once; None, and nothing done, where that is no
        longer its place."""

    def known_files(self, user_id: UserId, paths: Sequence[str]) -> dict[str, KnownFile]:
        """By path: those that have been taken in before."""

    def remember_files(self, user_id: UserId, files: Mapping[str, KnownFile]) -> None:
        """Keeps the sightings for later; of files that are not known any more, nothing."""

    def intake_paused(self, user_id: UserId) -> AbstractContextManager[None]:
        """While the block runs, nothing of this user is taken in."""

    def files_below(self, user_id: UserId, folder: str) -> dict[str, int]:
        """The paths below `folder` from which the user's documents came, and the file systems on which they lay."""

    def remove_source(self, user_id: UserId, source: str) -> None: ...

    def stored_parse(self, document: Document) -> StoredParse | None:
        """The newest parse of this content, where there is one."""

    def save_parse(self, job: Job, parse: StoredParse, payload: Payload) -> Payload:
        """With stages parsed and parse_validated. Raises ResourceError claim_lost."""

    def outdated(
        self, parser_of: Callable[[str], Producer], chunker: Producer, model: Producer
    ) -> list[OutdatedDocument]:
        """Finished documents whose results other tools have made than these; parsers by media type."""
