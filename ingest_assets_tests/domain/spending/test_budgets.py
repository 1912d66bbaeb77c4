import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.spending.budgets import Budget, BudgetLimits, overdrawn

AMOUNT = st.integers(min_value=0, max_value=10**12)
LIMIT = st.none() | AMOUNT
LIMITS = st.builds(BudgetLimits, LIMIT, LIMIT, LIMIT)
TAKEN = st.dictionaries(st.sampled_from(Budget), AMOUNT)


@given(LIMITS, TAKEN)
def test_a_budget_is_named_exactly_where_one_is_exceeded(limits: BudgetLimits, taken: dict[Budget, int]) -> None:
    exceeded = {budget for budget, amount in taken.items() if (most := limits.of(budget)) is not None and amount > most}
    named = overdrawn(limits, taken)
    assert named in exceeded if exceeded else named is None


@given(TAKEN)
def test_without_limits_nothing_is_exceeded(taken: dict[Budget, int]) -> None:
    assert overdrawn(BudgetLimits(), taken) is None


@pytest.mark.parametrize("budget", Budget)
def test_a_budget_may_be_spent_to_the_last_micro_dollar(budget: Budget) -> None:
    limits = BudgetLimits(day=100, user=100, document=100)
    assert overdrawn(limits, {budget: 100}) is None
    assert overdrawn(limits, {budget: 101}) is budget


def test_the_narrowest_budget_is_named() -> None:
    limits = BudgetLimits(day=1, user=1, document=1)
    assert overdrawn(limits, dict.fromkeys(Budget, 2)) is Budget.DOCUMENT
    assert overdrawn(limits, {Budget.DAY: 2, Budget.USER: 2}) is Budget.USER


def test_a_budget_of_nothing_allows_nothing() -> None:
    assert overdrawn(BudgetLimits(day=0), {Budget.DAY: 1}) is Budget.DAY
    assert overdrawn(BudgetLimits(day=0), {}) is None
