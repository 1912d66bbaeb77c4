"""Which histories are legal."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ingest_assets.domain.queue.histories import first_illegal
from ingest_assets.domain.queue.jobs import Event
from ingest_assets.domain.queue.stages import ORDER, Stage, State

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TOLD = {Stage.PARSE_VALIDATED, Stage.CHUNKS_BUFFERED, Stage.EMBEDDED}


def line(stage: Stage, state: State, actor: str = "worker", version: int = 1, code: str | None = None) -> Event:
    return Event(NOON, version, stage, state, actor, "a test", code, {"chunks": 3} if stage in TOLD else {})


def told(stage: Stage) -> Event:
    return Event(NOON, 1, stage, State.WORKING, "worker", "a test", None, {"tokens": 3})


def moves(*stages: Stage, actor: str = "worker") -> list[Event]:
    return [line(stage, State.DONE if stage is Stage.EMBEDDED else State.WORKING, actor) for stage in stages]


SUBMITTED = line(Stage.QUEUED, State.QUEUED, "ingest submit")
CLAIMED = line(Stage.QUEUED, State.WORKING)
WORKED = [*moves(*ORDER[1:8]), told(Stage.EMBEDDING)]
DONE = line(Stage.EMBEDDED, State.DONE)
HISTORY = [SUBMITTED, CLAIMED, *WORKED, DONE]


def at(stage: Stage, state: State, actor: str = "worker") -> Event:
    return Event(NOON, 1, stage, state, actor, "a test", None, {})


LEGAL = {
    "nothing yet": [],
    "submitted": [SUBMITTED],
    "all stages": HISTORY,
    "released and claimed again": [SUBMITTED, CLAIMED, SUBMITTED, *HISTORY[1:]],
    "failed and tried again from the first stage": [
        *HISTORY[:6],
        at(Stage.PARSE_VALIDATED, State.RETRYABLE),
        at(Stage.PARSE_VALIDATED, State.WORKING),
        *WORKED,
        DONE,
    ],
    "a partition run takes what a silent worker holds": [
        *HISTORY[:6],
        at(Stage.PARSE_VALIDATED, State.WORKING, "run"),
        *moves(Stage.CHUNKING, Stage.CHUNKS_BUFFERED, actor="run"),
    ],
    "only the last asset again": [
        *HISTORY,
        at(Stage.EMBEDDING, State.QUEUED),
        at(Stage.EMBEDDING, State.WORKING),
        DONE,
    ],
    "embedded again alone": [
        *HISTORY,
        at(Stage.CHUNKS_BUFFERED, State.QUEUED),
        at(Stage.CHUNKS_BUFFERED, State.WORKING),
        at(Stage.EMBEDDING, State.WORKING),
        told(Stage.EMBEDDING),
        at(Stage.EMBEDDING, State.QUEUED),
    ],
    "a dead letter, replayed": [
        *HISTORY[:4],
        at(Stage.PARSING, State.DEADLETTER),
        at(Stage.PARSING, State.QUEUED, "ingest retry"),
    ],
    "a new version while a worker is busy": [
        *HISTORY[:6],
        line(Stage.QUEUED, State.QUEUED, "ingest submit", version=2),
    ],
    "deleted": [*HISTORY, line(Stage.EMBEDDED, State.DONE, "ingest delete", code="deleted")],
    "a clock that was set back": [SUBMITTED, replace(CLAIMED, occurred_at=NOON - timedelta(hours=1))],
}

ILLEGAL = {
    "no beginning": HISTORY[1:],
    "a stage left out": [*HISTORY[:5], *HISTORY[6:]],
    "a stage twice": [*HISTORY[:5], *HISTORY[4:]],
    "stages written twice": [*HISTORY[:4], *HISTORY[2:]],
    "embedded twice in one attempt": [*HISTORY[:-1], *HISTORY[-3:]],
    "done before it was embedded": [*HISTORY[:8], DONE],
    "done twice": [*HISTORY, DONE],
    "a dead letter that goes on by itself": [*HISTORY[:4], at(Stage.PARSING, State.DEADLETTER), *HISTORY[4:]],
    "settled twice": [*HISTORY[:4], *[at(Stage.PARSING, State.RETRYABLE)] * 2],
    "claimed by two": [*HISTORY[:2], line(Stage.JOB_VALIDATED, State.WORKING, "another")],
    "a version left out": [*HISTORY, line(Stage.QUEUED, State.QUEUED, version=3)],
    "a version that begins in the middle": [*HISTORY, line(Stage.PARSING, State.WORKING, version=2)],
    "life after deletion": [*HISTORY, line(Stage.EMBEDDED, State.DONE, code="deleted"), SUBMITTED],
    "queued twice": [SUBMITTED, SUBMITTED],
}


@pytest.mark.parametrize("name", LEGAL)
def test_a_legal_history(name: str) -> None:
    assert first_illegal(LEGAL[name]) is None


@pytest.mark.parametrize("name", ILLEGAL)
def test_an_illegal_history(name: str) -> None:
    assert first_illegal(ILLEGAL[name]) is not None


def test_the_first_event_that_may_not_follow_is_named() -> None:
    assert first_illegal([*HISTORY[:5], *HISTORY[6:]]) is HISTORY[6]
