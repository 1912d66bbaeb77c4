from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.queue.stages import ENTRIES, ORDER, STATE_MOVES, Stage, State, is_legal, predecessor, sources


def test_done_and_embedded_come_together_and_nothing_else_does() -> None:
    assert is_legal(Stage.EMBEDDED, State.DONE)
    for stage, state in product(Stage, State):
        if (stage is Stage.EMBEDDED) != (state is State.DONE):
            assert not is_legal(stage, state)


def test_every_stage_can_be_entered_from_the_one_before_it() -> None:
    for before, after in pairwise(ORDER):
        assert before in sources(after)
        assert predecessor(after) is before


def test_nothing_leads_back_to_queued_while_a_worker_holds_the_job() -> None:
    assert sources(Stage.QUEUED) == ()


def test_nothing_leads_out_of_embedded() -> None:
    assert all(Stage.EMBEDDED not in sources(stage) for stage in Stage)


@given(st.sampled_from(ORDER), st.sampled_from(ORDER))
def test_a_move_is_one_step_forward_or_a_return_to_an_entry(before: Stage, after: Stage) -> None:
    distance = ORDER.index(after) - ORDER.index(before)
    allowed = distance == 1 or (distance <= 0 and after in ENTRIES and before is not Stage.EMBEDDED)
    assert (before in sources(after)) == allowed


@given(st.lists(st.sampled_from(ORDER), max_size=30))
def test_no_walk_of_legal_moves_skips_a_stage(wishes: list[Stage]) -> None:
    reached, at = {Stage.QUEUED}, Stage.QUEUED
    for wish in wishes:
        if at in sources(wish):
            at = wish
            assert set(ORDER[: ORDER.index(at)]) <= reached
            reached.add(at)


@pytest.mark.parametrize("state", State)
def test_every_state_can_be_left_and_only_working_ends_well(state: State) -> None:
    assert STATE_MOVES[state]
    assert (State.DONE in STATE_MOVES[state]) == (state is State.WORKING)
