"""A file is taken for unchanged only where that is certain, whatever was done to it and however coarse its clock is."""

from dataclasses import dataclass, replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.documents.document import Acceptance, AcceptanceStatus, DocumentId, JobId
from ingest_assets.domain.files.file_states import SLOWEST_CLOCK_NS, FileState, KnownFile, SeenFile, Sighting

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND
LONG_AGO = NOW - 60 * SECOND
STATE = FileState(size=10, modified_ns=LONG_AGO, changed_ns=LONG_AGO, inode=7, device=1)
SHA = "a" * 64
ACCEPTANCE = Acceptance(DocumentId(UUID(int=1)), JobId(UUID(int=2)), AcceptanceStatus.UNCHANGED)

Writes = list[tuple[int, bool]]
"""Nanoseconds since the one before; whether the time of modification is set back afterwards, as `touch -d` does."""


@dataclass
class File:
    """On a file system whose clock moves in steps; its size is always the same."""

    step_ns: int
    now_ns: int = NOW
    state: FileState = STATE
    writes: int = 0

    def write(self, writes: Writes) -> None:
        for pause, sets_back in writes:
            self.now_ns += pause
            stamp = self.now_ns - self.now_ns % self.step_ns
            modified_ns = STATE.modified_ns if sets_back else stamp
            self.state = replace(self.state, modified_ns=modified_ns, changed_ns=stamp)
            self.writes += 1


STEPS = st.sampled_from([1, 10_000_000, SECOND, SLOWEST_CLOCK_NS])
PAUSES = st.one_of(st.integers(0, 5_000), st.integers(0, 5 * SECOND))
WRITES = st.lists(st.tuples(PAUSES, st.booleans()), max_size=4)


@given(STEPS, WRITES, PAUSES, WRITES, WRITES)
def test_what_is_believed_without_reading_is_true(
    step_ns: int, before: Writes, pause: int, while_it_is_read: Writes, after: Writes
) -> None:
    file = File(step_ns)
    file.write(before)
    file.now_ns += pause
    seen = SeenFile("/file", file.state, file.now_ns)
    file.write(while_it_is_read)
    read, sighting = file.writes, seen.sighting(SHA)
    file.write(after)
    if sighting.still_holds(file.state):
        assert file.writes == read


@given(st.integers(SLOWEST_CLOCK_NS, 10**18), st.integers(0, 10**18))
def test_a_file_that_nobody_has_touched_is_believed_from_two_seconds_after_its_last_change(
    age_ns: int, more_ns: int
) -> None:
    seen_ns = STATE.changed_ns + age_ns
    assert Sighting(STATE, seen_ns, SHA).still_holds(STATE)
    assert Sighting(STATE, seen_ns + more_ns, SHA).still_holds(STATE)


@pytest.mark.parametrize("age_ns", [-60 * SECOND, 0, 1, SECOND, SLOWEST_CLOCK_NS - 1])
@pytest.mark.parametrize("times", [("modified_ns",), ("changed_ns",), ("modified_ns", "changed_ns")])
def test_a_file_that_changed_just_before_it_was_seen_or_in_the_future_is_not_believed(
    age_ns: int, times: tuple[str, ...]
) -> None:
    state = replace(STATE, **dict.fromkeys(times, NOW - age_ns))
    assert not Sighting(state, NOW, SHA).still_holds(state)


@pytest.mark.parametrize("name", ["size", "modified_ns", "changed_ns", "inode"])
@pytest.mark.parametrize("difference", [-1, 1])
def test_a_file_of_which_anything_differs_is_not_believed(name: str, difference: int) -> None:
    other = replace(STATE, **{name: getattr(STATE, name) + difference})
    assert not Sighting(STATE, NOW, SHA).still_holds(other)


def test_a_file_system_may_have_another_number_after_a_restart() -> None:
    assert Sighting(STATE, NOW, SHA).still_holds(replace(STATE, device=2))


def test_a_known_file_is_unchanged_where_its_document_has_what_was_seen() -> None:
    assert KnownFile(ACCEPTANCE, SHA, Sighting(STATE, NOW, SHA)).is_unchanged(STATE)


@pytest.mark.parametrize("sighting", [None, Sighting(STATE, NOW, "b" * 64), Sighting(STATE, LONG_AGO, SHA)])
def test_a_known_file_may_have_changed_where_it_was_not_seen_or_with_another_content_or_too_early(
    sighting: Sighting | None,
) -> None:
    assert not KnownFile(ACCEPTANCE, SHA, sighting).is_unchanged(STATE)
