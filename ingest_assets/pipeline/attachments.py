"""Attachments become documents of their own, queued like any file, and go when nothing contains them any more."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ingest_assets.domain.batching import batches
from ingest_assets.domain.documents.attachments import DEEPEST, MOST_BELOW, MOST_BYTES_BELOW, Room, SkippedAttachment
from ingest_assets.domain.documents.document import Attachment, DocumentId, Parent
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.jobs import Actor, Job
from ingest_assets.pipeline.deletion import Deletion
from ingest_assets.pipeline.intake import CheckedFile, IncomingFile, Intake
from ingest_assets.pipeline.ports.attachments import AttachmentRecords

TAKEN_IN_AT_ONCE = 64
BYTES_AT_ONCE = 64 * 1024 * 1024


@dataclass(frozen=True)
class Attachments:
    intake: Intake
    records: AttachmentRecords
    deletion: Deletion
    limit: Room = field(default_factory=lambda: Room(MOST_BELOW, MOST_BYTES_BELOW))
    """What may lie below one submitted document. Workers on several of its attachments may go a little beyond."""

    def is_one(self, document_id: DocumentId) -> bool:
        """Return whether a document is only an attachment: it was never submitted by itself."""
        return self.records.depth(document_id) > 0

    def take_in(self, job: Job, attachments: Sequence[Attachment]) -> int:
        """Queue a document's attachments, and delete those that its earlier version had and this one has not.

        What is known about the document is known about them, too. Repeating this changes nothing.

        Returns:
            How many did not become documents; the records keep why.

        Raises:
            ResourceError: claim_lost.
        """
        document = job.document
        self.records.forget_other_parse(job)
        parent = Parent(document.document_id, job.fence, self.records.depth(document.document_id) + 1)
        room = self.records.room(document.document_id, self.limit)
        checked: list[CheckedFile] = []
        skipped: list[SkippedAttachment] = []
        for attachment in attachments:
            found = self._checked(job, parent, attachment, room)
            if isinstance(found, CheckedFile):
                checked.append(found)
            else:
                skipped.append(SkippedAttachment(attachment.path, found.code))
        actor = Actor(job.claim, job.claim)
        for batch in _in_batches(checked):
            self.intake.take_in(batch, actor)
        sources = [file.arrival.source for file in checked]
        for orphan in self.records.settle(job, sources, skipped, actor):
            self.deletion.delete(orphan, actor)
        return len(skipped)

    def _checked(self, job: Job, parent: Parent, attachment: Attachment, room: Room) -> CheckedFile | PermanentError:
        if parent.depth > DEEPEST:
            return PermanentError("nested_too_deeply")
        file = IncomingFile(
            attachment.content, attachment.path, parent.source_of(attachment.path), job.document.user_id, parent=parent
        )
        try:
            checked = self.intake.check(file)
        except PermanentError as problem:
            return problem
        return checked if room.take(len(file.content)) else PermanentError("too_many_attachments")


def _in_batches(files: Sequence[CheckedFile]) -> Iterator[Sequence[CheckedFile]]:
    return batches(files, lambda file: len(file.content), TAKEN_IN_AT_ONCE, BYTES_AT_ONCE)
