"""The workers on all hosts, as they answer."""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from celery import Celery

from ingest_assets.orchestration.cluster.broker import CONFIGURATION, DEFAULT_QUEUE, RUNS, broker_errors

ANSWER_SECONDS = 1.0
"""How long workers may take to answer; all of them have to be waited for, since nobody knows how many there are."""
FRESH_SECONDS = 2.0
"""For how long an answer is used again."""


@dataclass(frozen=True)
class Host:
    """What a worker has."""

    slots: int
    queues: frozenset[str]
    runs: frozenset[str]

    @property
    def free(self) -> int:
        """How many more runs it can execute now."""
        return max(0, self.slots - len(self.runs))


class Hosts:
    """Asks all workers at once, and remembers the answers for a moment."""

    def __init__(self, celery: Any) -> None:
        self._celery = celery
        self._broker_errors = broker_errors(celery)
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._answers: Mapping[str, Host] | None = None

    def look(self) -> Mapping[str, Host] | None:
        """Return the workers that answer, by name, or None if the broker does not."""
        with self._lock:
            if time.monotonic() - self._asked_at > FRESH_SECONDS:
                self._answers = self._ask()
                self._asked_at = time.monotonic()
            return self._answers

    def slots(self, queue: str | None = None) -> int:
        """Return how many runs of this queue, or of all, the workers that answer can execute at a time."""
        return sum(host.slots for host in self._answering() if queue is None or queue in host.queues)

    def take_also(self, queue: str, waiting: Mapping[str, int]) -> bool:
        """Return whether free slots are certain for one more run of this queue and for all that wait.

        A worker takes what comes first from any of its queues, so where it could take another run, that may have taken
        its slot. Queues of which no worker takes this one's runs do not matter.

        Args:
            queue: The run's queue.
            waiting: How many runs have yet to begin, by their queue.
        """
        hosts = self._answering()
        wanted = Counter(waiting) + Counter([queue])
        beside = {other for host in hosts if queue in host.queues for other in host.queues & wanted.keys()}
        return queue in beside and all(_have_room(hosts, each, wanted) for each in beside)

    def executed(self) -> frozenset[str]:
        """Return the runs that workers have."""
        return frozenset(run_id for host in self._answering() for run_id in host.runs)

    def holder_of(self, run_id: str) -> str | None:
        """Return the name of the worker that has the run, if one says so."""
        return next((name for name, host in (self.look() or {}).items() if run_id in host.runs), None)

    def _answering(self) -> list[Host]:
        return list((self.look() or {}).values())

    def _ask(self) -> Mapping[str, Host] | None:
        try:
            answers = self._celery.control.broadcast(RUNS, reply=True, timeout=ANSWER_SECONDS)
        except self._broker_errors:
            return None
        return {
            name: Host(told["slots"], frozenset(told.get("queues", [DEFAULT_QUEUE])), frozenset(told["runs"]))
            for answer in answers or ()
            for name, told in answer.items()
            if "slots" in told
        }


def _have_room(hosts: Sequence[Host], queue: str, waiting: Mapping[str, int]) -> bool:
    """Return whether the workers of this queue have slots for all runs that they may take."""
    takers = [host for host in hosts if queue in host.queues]
    taken = frozenset[str]().union(*(host.queues for host in takers))
    return sum(waiting.get(each, 0) for each in taken) <= sum(host.free for host in takers)


@contextmanager
def hosts_at(broker_url: str) -> Iterator[Hosts]:
    """Yield the workers that this broker reaches."""
    with Celery(broker=broker_url, config_source=CONFIGURATION, set_as_current=False) as celery:
        yield Hosts(celery)
