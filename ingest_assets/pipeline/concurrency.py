"""Overlapping calls whose results come in the order in which they arrive."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def as_they_come(call: Callable[[Item], Result], items: Iterable[Item], at_once: int) -> Iterator[Result]:
    """Yield the results of calls, each as soon as it arrives, with up to `at_once` calls in progress.

    Calls begin when the caller draws results; with `at_once` of 1, they run in the caller's thread. After a failure no
    further call begins; the results of the others still come, and then the failure is raised.
    """
    return map(call, items) if at_once == 1 else _overlapping(call, iter(items), at_once)


def _overlapping(call: Callable[[Item], Result], items: Iterator[Item], at_once: int) -> Iterator[Result]:
    failures: list[BaseException] = []
    under_way: set[Future[Result]] = set()
    with ThreadPoolExecutor(at_once) as threads:
        while under_way or not failures:
            room = 0 if failures else at_once - len(under_way)
            under_way |= {threads.submit(copy_context().run, call, item) for item in islice(items, room)}
            if not under_way:
                return
            ended, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            failures += [failure for future in ended if (failure := future.exception()) is not None]
            yield from (future.result() for future in ended if future.exception() is None)
    raise failures[0]
