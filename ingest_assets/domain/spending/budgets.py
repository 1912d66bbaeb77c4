"""How much may be spent. Days are UTC days; amounts are in micro-dollars."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Budget(StrEnum):
    DAY = "day"
    """What the whole deployment spends in a day."""
    USER = "user"
    """What one user's documents cost in a day."""
    DOCUMENT = "document"
    """What one document costs for as long as it exists."""


@dataclass(frozen=True, slots=True)
class BudgetLimits:
    """The limits in micro-dollars; None means no limit."""

    day: int | None = None
    user: int | None = None
    document: int | None = None

    def of(self, budget: Budget) -> int | None:
        return {Budget.DAY: self.day, Budget.USER: self.user, Budget.DOCUMENT: self.document}[budget]


def overdrawn(limits: BudgetLimits, taken: Mapping[Budget, int]) -> Budget | None:
    """Return the narrowest budget that is exceeded, or None.

    Args:
        limits: How much may be spent.
        taken: How much of each budget is spent or reserved.
    """
    for budget in (Budget.DOCUMENT, Budget.USER, Budget.DAY):
        limit = limits.of(budget)
        if limit is not None and taken.get(budget, 0) > limit:
            return budget
    return None
