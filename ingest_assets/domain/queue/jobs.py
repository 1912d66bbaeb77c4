"""A document's place in the queue, as its holder sees it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ingest_assets.domain.documents.document import Document, DocumentId, JobId
from ingest_assets.domain.queue.stages import Stage, State

Payload = dict[str, str | int | float | bool]
"""Counts, hashes, durations, model names: what events and asset metadata carry. Never text or names."""

_TOOL = re.compile(r"[\w.:/+@-]+(?: [\w.:/+@-]+){0,4}", re.ASCII)
_WORDS_OF = {
    "text_sha": re.compile("[0-9a-f]{64}"),
    **dict.fromkeys(("parser", "parser_version", "chunker", "chunker_version", "model", "model_version"), _TOOL),
}
"""The only entries of a payload that may be words, and how those look."""
LONGEST_WORDS = 200
WITHHELD = "withheld"


def without_text(payload: Mapping[str, object]) -> Payload:
    """With "withheld" for anything but numbers, hashes and names of tools: a mistake costs an entry, not a document."""
    return {name: value if _may_be_told(name, value) else WITHHELD for name, value in payload.items()}  # type: ignore[misc]


def _may_be_told(name: str, value: object) -> bool:
    if isinstance(value, str):
        words = _WORDS_OF.get(name)
        return len(value) <= LONGEST_WORDS and words is not None and words.fullmatch(value) is not None
    return isinstance(value, int | float)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and what ties together all that is done on the same occasion.

    A worker is both by its claim.
    """

    name: str
    """A command, a service, a schedule or a claim; never a person's name."""
    correlation_id: str
    """Of one command, one request or one run."""

    @classmethod
    def of_claim(cls, claim: str) -> "Actor":
        return cls(claim, claim)


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job. Whoever holds `claim` may change it; every write is conditional on the claim still standing."""

    job_id: JobId
    document: Document
    claim: str
    stage: Stage
    """Where it stood when it was claimed."""
    attempt: int
    """From 1: this try's number."""


@dataclass(frozen=True, slots=True)
class JobStatus:
    """Where one document stands, for people."""

    document_id: DocumentId
    job_id: JobId
    version: int
    live_version: int | None
    """The version that searches find; None before the first one is committed."""
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

    @property
    def searchable(self) -> bool:
        return self.live_version is not None


@dataclass(frozen=True, slots=True)
class FailedDocument:
    """A dead letter, or one that waits for its retry."""

    document_id: DocumentId
    filename: str
    stage: Stage
    state: State
    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a document's history."""

    occurred_at: datetime
    version: int
    stage: Stage
    state: State
    actor: str
    correlation_id: str | None
    """None in events from before it was kept."""
    code: str | None
    payload: Payload


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished job, as Dagster is to be told of it."""

    job_id: JobId
    document_id: DocumentId
    payloads: Mapping[Stage, Payload]
    """What the stages that end an asset left in the history: parse_validated, chunks_buffered, embedding, embedded."""
