"""Take in the objects of buckets that notifications are about."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from ingest_assets.domain.errors import IngestError, PermanentError
from ingest_assets.domain.files.file_states import FileState, SeenFile
from ingest_assets.domain.files.object_events import ObjectEvent, parse_notification, place_of
from ingest_assets.domain.files.skipping import SkipReason, skip_reason_of_name, skip_reason_of_problem
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.pipeline.file_intake import FileIntake
from ingest_assets.pipeline.ports.intake import ObjectFiles
from ingest_assets.pipeline.ports.watching import Notice
from ingest_assets.pipeline.pruning import SourcePruning
from ingest_assets.pipeline.watch import Outcome, Tell, Unlist, no_unlisting

REMEMBERED = 1000
"""How many messages to remember that nothing could be done about."""
UNREAD = "unreadable_file"
"""The code of an object that may be read another time."""


@dataclass
class BucketArrivals:
    """A notice is a message with S3's event notifications.

    A message that says nothing, or whose object may not be read, is told once and never acknowledged: its queue decides
    how often it comes again, and where it goes then.
    """

    objects: ObjectFiles
    intake: FileIntake
    actor: Actor
    pruning: SourcePruning | None = None
    unlist: Unlist = no_unlisting
    _told: dict[int, None] = field(default_factory=dict, init=False)
    """Messages that were told to be left alone, the last one last."""

    def take_in(self, notices: Sequence[Notice], tell: Tell) -> list[Notice]:
        events: dict[Notice, list[ObjectEvent]] = {}
        for notice in notices:
            try:
                events[notice] = parse_notification(notice.content)
            except PermanentError as problem:
                self._tell_once(notice, Outcome("", problem), tell)
        unread: dict[str, Outcome] = {}
        for outcome in self._outcomes(event for some in events.values() for event in some):
            if isinstance(outcome.became, IngestError) and outcome.became.code == UNREAD:
                unread[outcome.source] = outcome
            else:
                tell(outcome)
        left = [notice for notice in notices if notice not in events]
        for notice, some in events.items():
            failed = [unread[event.source] for event in some if event.source in unread]
            for outcome in failed:
                self._tell_once(notice, outcome, tell)
            left += [notice] if failed else []
        return left

    def _outcomes(self, events: Iterable[ObjectEvent]) -> Iterator[Outcome]:
        last = {event.source: event for event in events}
        wanted: list[SeenFile] = []
        for event in last.values():
            reason = self._reason_to_skip(event)
            if event.is_removal:
                yield from self._pruned(event.source)
            elif reason is not None:
                yield Outcome(event.source, reason)
            else:
                state = FileState(event.size or 0, 0, 0, inode=0, device=0)
                wanted.append(SeenFile(event.source, state, seen_ns=0, is_named=False))
        for file, outcome in zip(wanted, self.intake.take_in(wanted, self.actor), strict=True):
            problem = skip_reason_of_problem(outcome.code) if isinstance(outcome, PermanentError) else None
            yield Outcome(file.path, problem or outcome)

    def _reason_to_skip(self, event: ObjectEvent) -> SkipReason | None:
        if event.size == 0 or event.key.endswith("/"):
            return SkipReason.EMPTY_FILE
        _, key = place_of(event.source)
        for name in PurePath(key).parts:
            if (reason := skip_reason_of_name(name)) is not None:
                return reason
        return SkipReason.IGNORED if self.objects.ignores(event.source) else None

    def _pruned(self, source: str) -> Iterator[Outcome]:
        if self.pruning is None:
            return
        pruned = self.pruning.prune(source, self.intake.user_id, self.actor)
        if pruned is not None:
            self.unlist(pruned)
            yield Outcome(source, pruned)

    def _tell_once(self, notice: Notice, outcome: Outcome, tell: Tell) -> None:
        key = hash((notice.content, outcome.source))
        if key not in self._told:
            tell(outcome)
        self._told[key] = None
        while len(self._told) > REMEMBERED:
            del self._told[next(iter(self._told))]
