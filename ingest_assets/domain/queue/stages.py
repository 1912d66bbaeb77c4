"""Where a job can stand, and which moves are legal. The schema's CHECK constraints say the same again.

queued ─► job_validated ─► parsing ─► parsed ─► parse_validated ─► chunking ─► chunks_buffered ─► embedding ─► embedded
  ▲            ▲              ▲                                      ▲                              ▲
  └ new version└──────────────┴─── a later attempt enters here ──────┴──────────────────────────────┘
"""

from enum import StrEnum


class Stage(StrEnum):
    QUEUED = "queued"
    JOB_VALIDATED = "job_validated"
    PARSING = "parsing"
    PARSED = "parsed"
    PARSE_VALIDATED = "parse_validated"
    CHUNKING = "chunking"
    CHUNKS_BUFFERED = "chunks_buffered"
    EMBEDDING = "embedding"
    EMBEDDED = "embedded"


class State(StrEnum):
    QUEUED = "queued"
    WORKING = "working"
    RETRYABLE = "retryable"
    DONE = "done"
    DEADLETTER = "deadletter"


ORDER = tuple(Stage)

ENTRIES = frozenset({Stage.JOB_VALIDATED, Stage.PARSING, Stage.CHUNKING, Stage.EMBEDDING})
"""Stages that a worker may enter again when an earlier attempt came further."""

STATE_MOVES: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.QUEUED, State.WORKING, State.DEADLETTER}),
    State.WORKING: frozenset({State.WORKING, State.QUEUED, State.RETRYABLE, State.DONE, State.DEADLETTER}),
    State.RETRYABLE: frozenset({State.WORKING, State.QUEUED}),
    State.DEADLETTER: frozenset({State.QUEUED}),
    State.DONE: frozenset({State.QUEUED}),
}
"""From `queued` to `queued`: a newer version replaces one that nobody had begun."""


def is_legal(stage: Stage, state: State) -> bool:
    """Done means embedded, and embedded means done; every other stage may be in every other state."""
    return (stage is Stage.EMBEDDED) == (state is State.DONE)


def sources(stage: Stage) -> tuple[Stage, ...]:
    """The stages that a working job may stand at immediately before `stage`."""
    position = ORDER.index(stage)
    if position == 0:
        return ()
    if stage in ENTRIES:
        return ORDER[position - 1 : -1]
    return (ORDER[position - 1],)


def predecessor(stage: Stage) -> Stage:
    """Where a job must stand to enter `stage` for the first time; `stage` is not the first."""
    return ORDER[ORDER.index(stage) - 1]
