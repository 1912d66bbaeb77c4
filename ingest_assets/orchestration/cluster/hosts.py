"""The workers on all hosts, as they answer."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ingest_assets.orchestration.cluster.broker import DEFAULT_QUEUE, RUNS, broker_errors

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
        hosts = (self.look() or {}).values()
        return sum(host.slots for host in hosts if queue is None or queue in host.queues)

    def holder_of(self, run_id: str) -> str | None:
        """Return the name of the worker that has the run, if one says so."""
        return next((name for name, host in (self.look() or {}).items() if run_id in host.runs), None)

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
