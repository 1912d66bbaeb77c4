"""How much may be spent. Days are UTC days; amounts are micro-dollars."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Budget(StrEnum):
    DAY = "day"
    """The whole deployment's day."""
    USER = "user"
    """One user's day."""
    DOCUMENT = "document"
    """One document, for as long as it exists."""


@dataclass(frozen=True, slots=True)
class BudgetLimits:
    """None where there is no limit."""

    day: int | None = None
    user: int | None = None
    document: int | None = None

    def of(self, budget: Budget) -> int | None:
        return {Budget.DAY: self.day, Budget.USER: self.user, Budget.DOCUMENT: self.document}[budget]


def overdrawn(limits: BudgetLimits, taken: Mapping[Budget, int]) -> Budget | None:
    """The narrowest budget that is exceeded where so much is spent or reserved of each."""
    for budget in (Budget.DOCUMENT, Budget.USER, Budget.DAY):
        limit = limits.of(budget)
        if limit is not None and taken.get(budget, 0) > limit:
            return budget
    return None
