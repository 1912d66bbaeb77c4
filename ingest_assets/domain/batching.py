"""Batches for the calls of a provider that limits both how many items a call takes and how many tokens."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def batches(
    items: Iterable[Item], tokens: Callable[[Item], int], max_count: int, max_tokens: int
) -> Iterator[list[Item]]:
    """Yield the items in order, in batches as full as both limits allow.

    An item above `max_tokens` is a batch of its own.

    Raises:
        ValueError: A limit is below 1.
    """
    if min(max_count, max_tokens) < 1:
        raise ValueError("a batch must allow at least one item and one token")
    return _fill(items, tokens, max_count, max_tokens)


def _fill(
    items: Iterable[Item], tokens: Callable[[Item], int], max_count: int, max_tokens: int
) -> Iterator[list[Item]]:
    batch: list[Item] = []
    filled = 0
    for item in items:
        size = tokens(item)
        if batch and (len(batch) == max_count or filled + size > max_tokens):
            yield batch
            batch, filled = [], 0
        batch.append(item)
        filled += size
    if batch:
        yield batch
