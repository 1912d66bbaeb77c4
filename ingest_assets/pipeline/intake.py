"""Intake: content is checked, hashed, stored and queued."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

from ingest_assets.domain.documents.document import Acceptance, AcceptanceStatus, Arrival, DocumentId, Parent, UserId
from ingest_assets.domain.errors import IngestError, PermanentError
from ingest_assets.domain.files.file_types import FileType, recognise
from ingest_assets.domain.files.filenames import safe_filename
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.pipeline.concurrency import as_they_come
from ingest_assets.pipeline.ports.intake import IntakeRecords
from ingest_assets.pipeline.ports.object_store import ObjectStore
from ingest_assets.pipeline.store_ownership import StoreOwnership
from ingest_assets.pipeline.stored_objects import arrived_content_key, folder_key
from ingest_assets.pipeline.tracing import tracing

STORED_AT_ONCE = 8
"""How many files to store at once; storing mostly waits for a disk."""


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A file as a user hands it in."""

    content: bytes
    filename: str
    source: str
    """Where the file comes from; other content from the same source is a new version of its document."""
    user_id: UserId
    priority: int = 0
    parent: Parent | None = None
    """The document that the file was taken out of."""


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that has passed the checks."""

    content: bytes
    arrival: Arrival


@dataclass(frozen=True)
class Intake:
    records: IntakeRecords
    objects: ObjectStore
    ownership: StoreOwnership
    max_bytes: int
    """The size limit; larger files are refused."""
    archives: bool = False
    """Whether ZIP archives are taken in, with the files in them."""

    def receive(self, file: IncomingFile, actor: Actor) -> Acceptance:
        """Queue a file for the pipeline.

        Raises:
            PermanentError: As `check`; nothing of the file is kept.
        """
        with tracing.span("intake", correlation_id=actor.correlation_id) as note:
            [accepted] = self.take_in([self.check(file)], actor)
            note({"ingest.document_id": str(accepted.document_id)})
        return accepted

    def check(self, file: IncomingFile) -> CheckedFile:
        """Recognise a file by its content.

        Raises:
            PermanentError: too_large, archive_refused, or as `recognise`.
        """
        if len(file.content) > self.max_bytes:
            raise PermanentError("too_large", limit=self.max_bytes)
        file_type = recognise(file.content, file.filename)
        if file_type is FileType.ZIP and not self.archives:
            raise PermanentError("archive_refused")
        arrival = Arrival(
            user_id=file.user_id,
            source=file.source,
            filename=safe_filename(file.filename),
            media_type=file_type.value,
            byte_size=len(file.content),
            content_sha=sha256(file.content).hexdigest(),
            priority=file.priority,
            parent=file.parent,
        )
        return CheckedFile(file.content, arrival)

    def take_in(self, files: Sequence[CheckedFile], actor: Actor) -> list[Acceptance]:
        """Queue files from different sources of one user: all of them, or none if this raises.

        Raises:
            OutageError: store_mismatched; nothing was stored.
        """
        self.ownership.check()
        arrivals = [file.arrival for file in files]
        while arrivals:
            located = self.records.locate(arrivals)
            # Store bytes before the row: a crash in between leaves bytes without a row, never a row without bytes.
            try:
                contents = _contents(files, located)
                self._store(contents)
                accepted = self.records.accept(arrivals, located, actor, partial(self._are_stored, contents))
            except Exception as error:
                if not isinstance(error, IngestError) or error.code != "intake_unconfirmed":
                    self._remove_unused(arrivals, located, ())
                raise
            self._remove_unused(arrivals, located, accepted or ())
            if accepted is not None:
                return accepted
        return []

    def restore(self, user_id: UserId, document_id: DocumentId, content: bytes) -> None:
        """Store a document's present content again, if its bytes are gone or damaged.

        If the document is deleted meanwhile, the second scan of its deletion removes them.
        """
        content_sha = sha256(content).hexdigest()
        key = arrived_content_key(user_id, document_id, content_sha)
        with suppress(PermanentError):
            if sha256(self.objects.get(key)).hexdigest() == content_sha:
                return
        self.ownership.check()
        self.objects.put(key, content)

    def _store(self, contents: Mapping[str, bytes]) -> None:
        at_once = min(STORED_AT_ONCE, len(contents)) or 1
        for _ in as_they_come(lambda key: self.objects.put(key, contents[key]), contents, at_once):
            pass

    def _are_stored(self, keys: Iterable[str]) -> bool:
        return all(map(self.objects.holds, keys))

    def _remove_unused(
        self, arrivals: Sequence[Arrival], located: Sequence[Acceptance], accepted: Iterable[Acceptance]
    ) -> None:
        """Remove the bytes of documents that were not created after all; existing documents lose nothing.

        What cannot be removed now, the sweep removes later.
        """
        made = {each.document_id for each in accepted}
        for arrival, place in zip(arrivals, located, strict=True):
            if place.status is AcceptanceStatus.QUEUED and place.document_id not in made:
                with suppress(IngestError):
                    self.objects.delete_below(folder_key(arrival.user_id, place.document_id))


def _contents(files: Sequence[CheckedFile], located: Sequence[Acceptance]) -> dict[str, bytes]:
    """Return what must be stored before the rows are written, by key."""
    return {
        arrived_content_key(file.arrival.user_id, place.document_id, file.arrival.content_sha): file.content
        for file, place in zip(files, located, strict=True)
        if place.status is not AcceptanceStatus.UNCHANGED
    }
