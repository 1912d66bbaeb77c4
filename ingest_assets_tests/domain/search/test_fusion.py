from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.search.fusion import reciprocal_rank_fusion

RANKINGS = st.lists(st.lists(st.sampled_from("abcdefgh"), unique=True), max_size=4)


def order(*rankings: str) -> str:
    return "".join(item for item, _ in reciprocal_rank_fusion(rankings))


def test_scores_are_sums_of_reciprocal_ranks() -> None:
    assert reciprocal_rank_fusion(["ab", "b"]) == [("b", 1 / 62 + 1 / 61), ("a", 1 / 61)]


def test_one_ranking_keeps_its_order() -> None:
    assert order("cab") == "cab"


def test_nothing_ranked_gives_nothing() -> None:
    assert reciprocal_rank_fusion([]) == reciprocal_rank_fusion([[], []]) == []


def test_what_two_rankings_agree_on_comes_before_the_best_of_one() -> None:
    assert order("axb", "cxd")[0] == "x"


def test_equals_come_as_they_were_met() -> None:
    assert order("ab", "cd") == "acbd"
    assert order("cd", "ab") == "cadb"


def test_a_small_k_favours_the_first_ranks() -> None:
    rankings = ["axb", "cxd"]
    assert reciprocal_rank_fusion(rankings, k=0)[0] == ("a", 1.0)
    assert reciprocal_rank_fusion(rankings, k=60)[0][0] == "x"


def test_what_a_ranking_names_twice_counts_once() -> None:
    assert reciprocal_rank_fusion(["aab"]) == reciprocal_rank_fusion(["ab"])


def test_a_negative_k_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        reciprocal_rank_fusion(["a"], k=-1)


@given(RANKINGS)
def test_everything_ranked_comes_out_once_best_first(rankings: list[list[str]]) -> None:
    fused = reciprocal_rank_fusion(rankings)

    assert sorted(item for item, _ in fused) == sorted({item for ranking in rankings for item in ranking})
    assert [score for _, score in fused] == sorted((score for _, score in fused), reverse=True)


@given(RANKINGS)
def test_scores_do_not_depend_on_the_order_of_the_rankings(rankings: list[list[str]]) -> None:
    scores = [dict(reciprocal_rank_fusion(shuffled)) for shuffled in permutations(rankings)]

    assert all(score == scores[0] for score in scores)
