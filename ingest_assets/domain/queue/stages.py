"""The stages and states of a job, and the legal moves. The schema's CHECK constraints repeat them.

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
"""Stages that a worker may enter again even if an earlier attempt got further."""

STATE_MOVES: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.QUEUED, State.WORKING, State.DEADLETTER}),
    State.WORKING: frozenset({State.WORKING, State.QUEUED, State.RETRYABLE, State.DONE, State.DEADLETTER}),
    State.RETRYABLE: frozenset({State.WORKING, State.QUEUED, State.DEADLETTER}),
    State.DEADLETTER: frozenset({State.QUEUED}),
    State.DONE: frozenset({State.QUEUED}),
}
"""A job moves from `queued` to `queued` if a newer version replaces one that no worker had begun."""


def is_legal(stage: Stage, state: State) -> bool:
    """Return whether a job may be in this state at this stage.

    "Done" and "embedded" imply each other; every other stage allows every other state.
    """
    return (stage is Stage.EMBEDDED) == (state is State.DONE)


def sources(stage: Stage) -> tuple[Stage, ...]:
    """Return the stages that a working job may be at immediately before `stage`."""
    position = ORDER.index(stage)
    if position == 0:
        return ()
    if stage in ENTRIES:
        return ORDER[position - 1 : -1]
    return (ORDER[position - 1],)


def predecessor(stage: Stage) -> Stage:
    """Return the stage from which a job first enters `stage`, which must not be the first one."""
    return ORDER[ORDER.index(stage) - 1]
