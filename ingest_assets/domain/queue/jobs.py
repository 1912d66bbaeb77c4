"""A document's place in the queue, as the worker that holds it sees it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ingest_assets.domain.documents.document import Document, DocumentId, JobId
from ingest_assets.domain.documents.warnings import Warnings
from ingest_assets.domain.queue.lanes import RECOGNITION, Lane, lane_of
from ingest_assets.domain.queue.stages import Stage, State

LIGHT_BYTES = 1024 * 1024
"""A larger document is heavy: it leaves a share of each worker to light ones."""
SLOW_CODES = (
    "parsing_slow",
    RECOGNITION,
    "timeout",
    "out_of_memory",
    "chunking_timeout",
    "chunking_out_of_memory",
)
"""A document that has failed for one of these causes is heavy, too, whatever its size."""

Payload = dict[str, str | int | float | bool]
"""Counts, hashes, durations and model names, for events and asset metadata; never text or file names."""

_TOOL = re.compile(r"[\w.:/+@-]+(?: [\w.:/+@-]+){0,4}", re.ASCII)
_WORDS_OF = {
    "text_sha": re.compile("[0-9a-f]{64}"),
    **dict.fromkeys(("parser", "parser_version", "chunker", "chunker_version", "model", "model_version"), _TOOL),
}
"""The only entries of a payload that may be strings, and what each may look like."""
LONGEST_WORDS = 200
WITHHELD = "withheld"


def without_text(payload: Mapping[str, object]) -> Payload:
    """Return the payload with "withheld" for anything but numbers, hashes and names of tools.

    Replacing rather than refusing means that a mistake costs an entry, not a document.
    """
    # mypy cannot see that what may be told is a number or a text
    return {name: value if _may_be_told(name, value) else WITHHELD for name, value in payload.items()}  # type: ignore[misc]


def _may_be_told(name: str, value: object) -> bool:
    if isinstance(value, str):
        words = _WORDS_OF.get(name)
        return len(value) <= LONGEST_WORDS and words is not None and words.fullmatch(value) is not None
    return isinstance(value, int | float)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and what ties together everything done on the same occasion.

    A worker is named by its claim, and works on the occasion on which the document was queued.
    """

    name: str
    """The name of a command, a schedule, a claim or the HTTP service; never a person's name."""
    correlation_id: str
    """The id of one command, one request or one run, and of what followed from it."""

    @classmethod
    def of_claim(cls, claim: str) -> "Actor":
        return cls(claim, claim)


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job. Only its holder may change it: every write requires that claim and fence still stand."""

    job_id: JobId
    document: Document
    claim: str
    fence: int
    """Tells this claim from a later one, even of the same worker (the "fencing token" of the literature)."""
    stage: Stage
    """The job's stage when it was claimed."""
    attempt: int
    """The number of this attempt, from 1."""
    failures: Mapping[str, int] = field(default_factory=dict, hash=False)
    """How many earlier attempts ended with each error code, including those that do not count."""

    @property
    def correlation_id(self) -> str:
        """Return what ties the work on this job together with whatever queued it."""
        return self.document.correlation_id or self.claim

    @property
    def is_heavy(self) -> bool:
        """Whether the document is large, or has proved to be slow."""
        return self.document.byte_size > LIGHT_BYTES or any(code in self.failures for code in SLOW_CODES)

    @property
    def lane(self) -> Lane:
        """Return what the document needed when the job was claimed."""
        return lane_of(self.stage, self.failures)

    def attempt_of(self, code: str) -> int:
        """Return the number that this attempt has, from 1, among those that fail for this cause."""
        return self.failures.get(code, 0) + 1


@dataclass(frozen=True, slots=True)
class JobStatus:
    """The status of one document, for people."""

    document_id: DocumentId
    job_id: JobId
    version: int
    live_version: int | None
    """The version that searches find; None before the first commit."""
    stage: Stage
    state: State
    attempts: int
    crashes: int
    chunks: int
    claimed_by: str | None
    lease_expires_at: datetime | None
    next_retry_at: datetime | None
    error_code: str | None
    error_message: str | None
    error_hint: str | None
    finished_at: datetime | None
    lane: Lane
    """What kind of worker it needs next."""
    warnings: Warnings
    """What the newest parse could not read."""

    @property
    def searchable(self) -> bool:
        return self.live_version is not None


@dataclass(frozen=True, slots=True)
class FailedDocument:
    """A dead letter, or a document that waits for its retry."""

    document_id: DocumentId
    filename: str
    stage: Stage
    state: State
    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class FailedCause:
    """The dead letters and waiting documents that failed with one code."""

    code: str
    count: int
    waiting: int
    """How many of them wait for a retry."""
    stages: tuple[Stage, ...]
    message: str
    """As the first of them has it; others may name other numbers."""
    hint: str
    since: datetime
    """When the first of them failed."""
    next_retry_at: datetime | None
    """When the next of them is tried again."""

    @property
    def dead_letters(self) -> int:
        return self.count - self.waiting


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a document's history."""

    occurred_at: datetime
    version: int
    stage: Stage
    state: State
    actor: str
    correlation_id: str | None
    """None in events from before correlation ids were kept."""
    code: str | None
    payload: Payload


@dataclass(frozen=True, slots=True)
class Announcement:
    """The event with which a document became done or failed, as those who follow its user are told of it."""

    event_id: int
    document_id: DocumentId
    version: int
    state: State
    """Done, deadletter or retryable."""
    code: str | None
    searchable: bool
    """Whether searches find the document now."""
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished job, as it is reported to Dagster."""

    job_id: JobId
    document_id: DocumentId
    payloads: Mapping[Stage, Payload]
    """What the last stage of each asset left in the history: parse_validated, chunks_buffered, embedding, embedded."""
