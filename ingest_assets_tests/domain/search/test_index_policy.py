from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.composition.providers import index_policy
from ingest_assets.domain.documents.document import Producer
from ingest_assets.domain.search.index_policy import IndexAction, IndexKind, IndexState, decide

POLICY = index_policy()
KINDS = st.sampled_from(IndexKind)


def state(rows: int, most: int | None = None, *, exists: bool = False) -> IndexState:
    return IndexState(exists=exists, rows=rows, most=rows if most is None else most, waiting=0, loading=False)


@st.composite
def states(draw: st.DrawFn) -> IndexState:
    rows = draw(st.integers(0, 5_000_000))
    return state(rows, draw(st.integers(0, rows)), exists=draw(st.booleans()))


@pytest.mark.parametrize(
    "name", ["lexical", "text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002"]
)
def test_models_whose_bits_say_enough_are_indexed_by_them(name: str) -> None:
    assert POLICY.kind_of(Producer(name, "1")) is IndexKind.BITS


@pytest.mark.parametrize(
    "model", [Producer("nomic-embed-text", "1"), Producer("text-embedding-3-small", "1-256d"), Producer("", "")]
)
def test_of_unknown_models_and_of_shortened_vectors_bits_are_not_trusted(model: Producer) -> None:
    assert POLICY.kind_of(model) is IndexKind.HALFVEC


@pytest.mark.parametrize(
    ("rows", "pending", "exists", "action"),
    [
        (0, 0, False, IndexAction.KEEP),
        (200_000, 0, False, IndexAction.KEEP),
        (200_001, 0, False, IndexAction.BUILD),
        (240_000, 3_000, False, IndexAction.BUILD),
        (240_000, 30_000, False, IndexAction.KEEP),
        (240_000, 30_000, True, IndexAction.KEEP),
        (240_000, 144_000, True, IndexAction.DROP),
        (300_000, 600_000, True, IndexAction.KEEP),
        (2_600_000, 900_000, False, IndexAction.BUILD),
        (20_000, 0, True, IndexAction.DROP),
    ],
)
def test_the_table_of_the_policy(rows: int, pending: int, *, exists: bool, action: IndexAction) -> None:
    assert decide(state(rows, exists=exists), pending, IndexKind.BITS, POLICY) is action


def test_many_users_with_few_vectors_each_need_no_index() -> None:
    assert decide(state(5_000_000, most=90_000), 0, IndexKind.BITS, POLICY) is IndexAction.KEEP


@given(states(), KINDS)
def test_behind_a_load_there_is_an_index_exactly_where_somebody_needs_it(present: IndexState, kind: IndexKind) -> None:
    missing = replace(present, exists=False)
    needed = present.most > POLICY.costs[kind].exact_rows
    assert (decide(missing, 0, kind, POLICY) is IndexAction.BUILD) == needed


@given(states(), st.integers(0, 5_000_000), KINDS)
def test_what_was_just_built_is_not_dropped_and_what_was_just_dropped_is_not_built(
    present: IndexState, pending: int, kind: IndexKind
) -> None:
    action = decide(present, pending, kind, POLICY)
    after = replace(present, exists=action is IndexAction.BUILD if action is not IndexAction.KEEP else present.exists)
    assert decide(after, pending, kind, POLICY) is IndexAction.KEEP


@given(states(), st.integers(0, 5_000_000), KINDS)
def test_no_search_becomes_slower_than_it_may(present: IndexState, pending: int, kind: IndexKind) -> None:
    search = present.most * POLICY.costs[kind].compare
    action = decide(present, pending, kind, POLICY)
    if action is IndexAction.DROP:
        assert search <= POLICY.felt
    if not present.exists and search > POLICY.unbearable:
        assert action is IndexAction.BUILD


@given(states(), st.integers(0, 5_000_000), KINDS)
def test_an_index_that_is_dropped_for_a_load_is_cheaper_to_build_again(
    present: IndexState, pending: int, kind: IndexKind
) -> None:
    costs = POLICY.costs[kind]
    useful = replace(present, exists=True, most=max(present.most, costs.exact_rows))
    if decide(useful, pending, kind, POLICY) is IndexAction.DROP:
        assert (useful.rows + pending) * costs.build < pending * costs.insert


@given(states(), st.integers(0, 5_000_000), st.integers(0, 5_000_000), KINDS)
def test_the_more_is_pending_the_less_there_is_an_index(
    present: IndexState, pending: int, more: int, kind: IndexKind
) -> None:
    def has_index(ahead: int) -> bool:
        action = decide(present, ahead, kind, POLICY)
        return action is IndexAction.BUILD or (present.exists and action is IndexAction.KEEP)

    assert has_index(pending) or not has_index(pending + more)
