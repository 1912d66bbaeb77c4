import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.dashboards.words import percent, seconds, share, size, usd


@pytest.mark.parametrize(
    ("value", "told"), [(0, "0 %"), (1, "100 %"), (0.5, "50.0 %"), (0.99999, "99.9 %"), (1.004, "100.4 %")]
)
def test_shares_are_percent(value: float, told: str) -> None:
    assert percent(value) == told


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_what_is_not_all_is_never_shown_as_all(part: int, more: int) -> None:
    assert share(part, part + more) not in ("100 %", "100.0 %")


def test_a_share_of_nothing_is_none() -> None:
    assert share(0, 0) == "–"


@pytest.mark.parametrize(("value", "told"), [(0, "$0.00"), (1, "$0.000001"), (10_000, "$0.01"), (1.5e9, "$1,500.00")])
def test_money_is_never_rounded_to_nothing(value: float, told: str) -> None:
    assert usd(value) == told


def test_times_and_sizes_have_units() -> None:
    assert [seconds(value) for value in (0.004, 1.25, 90)] == ["4 ms", "1.2 s", "90 s"]
    assert [size(value) for value in (7, 8_000, 3e9, 5e15)] == ["7 B", "8.0 kB", "3.0 GB", "5000.0 TB"]
