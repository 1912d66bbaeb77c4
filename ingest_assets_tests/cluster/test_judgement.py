"""How a cluster's trial is judged."""

import pytest

from ingest_assets_tests.cluster.faults import Struck
from ingest_assets_tests.cluster.judgement import longest_gap
from ingest_assets_tests.cluster.ratio import Measured, ratio


def measured(hosts: int, seconds: float) -> Measured:
    return Measured(hosts, 100, seconds, (100,), 0.0)


def test_the_ratio_compares_the_medians_of_all_rounds() -> None:
    rounds = [measured(1, 10), measured(2, 5), measured(2, 4), measured(1, 12), measured(1, 30), measured(2, 20)]
    assert ratio(rounds) == pytest.approx(12 / 5)


def test_there_is_no_ratio_without_a_measurement() -> None:
    assert ratio([]) is None


def test_the_longest_time_without_an_answer_counts_whatever_else_is_away() -> None:
    broker = Struck("broker", 10, 20)
    assert longest_gap([0, 9, 21, 22], [broker]) == 12


def test_while_the_database_is_away_no_answer_is_expected_and_soon_after_it_is() -> None:
    database = Struck("database", 10, 20, without_database=True)
    assert longest_gap([0, 9, 23, 24], [database]) == 9
    assert longest_gap([9, 35], [database]) == 15
