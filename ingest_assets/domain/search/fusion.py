"""Fusion of several rankings into one."""

from collections.abc import Hashable, Sequence
from math import fsum
from typing import TypeVar

Item = TypeVar("Item", bound=Hashable)


def reciprocal_rank_fusion(rankings: Sequence[Sequence[Item]], k: int = 60) -> list[tuple[Item, float]]:
    """Return the items with their scores, best first (Cormack, Clarke and Büttcher, 2009).

    Among equal scores, the item met first in the rankings comes first. An item that a ranking names twice counts at its
    first place only.

    Raises:
        ValueError: `k` is negative.
    """
    if k < 0:
        raise ValueError("k must not be negative")
    shares: dict[Item, list[float]] = {}
    for ranking in rankings:
        for rank, item in enumerate(dict.fromkeys(ranking), start=1):
            shares.setdefault(item, []).append(1 / (k + rank))
    scores = [(item, fsum(parts)) for item, parts in shares.items()]
    return sorted(scores, key=lambda scored: -scored[1])
