from itertools import chain, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.batching import batches


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], []),
        ([1], [[1]]),
        ([1, 1, 1, 1, 1], [[1, 1, 1], [1, 1]]),
        ([4, 6, 1], [[4, 6], [1]]),
        ([4, 7, 1], [[4], [7, 1]]),
        ([1, 99, 1], [[1], [99], [1]]),
        ([10, 10], [[10], [10]]),
        ([0, 0, 0, 0], [[0, 0, 0], [0]]),
    ],
)
def test_batches_hold_at_most_three_items_and_ten_tokens(sizes: list[int], expected: list[list[int]]) -> None:
    assert list(batches(sizes, tokens=int, max_count=3, max_tokens=10)) == expected


@given(st.lists(st.integers(0, 40)), st.integers(1, 8), st.integers(1, 30))
def test_every_item_comes_once_in_order_and_within_the_limits(sizes: list[int], count: int, most: int) -> None:
    made = list(batches(sizes, tokens=int, max_count=count, max_tokens=most))

    assert list(chain.from_iterable(made)) == sizes
    assert all(1 <= len(batch) <= count for batch in made)
    assert all(sum(batch) <= most or len(batch) == 1 for batch in made)


@given(st.lists(st.integers(0, 40)), st.integers(1, 8), st.integers(1, 30))
def test_no_batch_could_have_taken_the_next_item(sizes: list[int], count: int, most: int) -> None:
    made = list(batches(sizes, tokens=int, max_count=count, max_tokens=most))

    assert all(len(batch) == count or sum(batch) + following[0] > most for batch, following in pairwise(made))


def test_items_are_drawn_only_as_batches_are() -> None:
    drawn = []

    def size(item: int) -> int:
        drawn.append(item)
        return 1

    next(batches(range(100), size, max_count=2, max_tokens=10))

    assert drawn == [0, 1, 2]


@pytest.mark.parametrize(("count", "most"), [(0, 1), (1, 0), (-1, 5)])
def test_limits_below_one_are_refused_before_anything_is_drawn(count: int, most: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        batches([1], int, count, most)
