"""The model: documents wait for a place in a worker, for a processor, for the parsing and for the embedding provider.

A document takes these ways, each of which the model knows:

1. It waits until a worker has a place for it. A worker holds `in_flight` documents at once, whatever they wait for;
   there is one, and another for each `jobs_per_worker` documents that wait, up to `workers`.
2. It computes: reads, hashes, uploads. All documents share the host's cores; whoever comes first computes first.
3. It waits for the remote parse, and then until a worker notices that it has ended.
4. It computes: fetches, chunks, counts tokens.
5. It waits for the embedding.
6. It computes, in the worker and in the database, until the commit.

Cores that other work keeps busy are taken off beforehand. The model has no disk, no network, no locks between
transactions and no faults: what these cost is within the measured processor time, or it is missing.
"""

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from benchmarks.load.figures import percentile

SHARES = (0.25, 0.35, 0.40)
"""Of a document's processor time: before the parse, between parse and embedding, after the embedding. Assumed."""
CLAIM_SECONDS = 0.125
"""How long a document waits on average until a worker that has a place looks at the queue."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is simulated."""

    documents_per_hour: float
    seconds: float
    """How long documents come."""
    workers: int
    in_flight: int
    """Places per worker."""
    cores: float
    """That documents may use; other work has been taken off."""
    cpu_seconds: float
    """Per document, in all."""
    parse_seconds: float
    embed_seconds: float
    jobs_per_worker: int = 1
    """How many waiting documents justify another worker."""
    local_share: float = 0.0
    """The share of documents that no provider parses: their text is read while they compute."""
    noticed_after: float = 0.5
    evenly: bool = True
    """Whether documents come at a constant rate, as in the load test, or at random (Poisson)."""
    warm_up: float = 0.0
    """Documents that come before this count for nothing."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """What came out. Seconds are of documents that came after the warm-up."""

    documents_per_hour: float
    queue_p95: float
    whole_p50: float
    whole_p95: float
    most_in_flight: int
    busy_cores: float


@dataclass(slots=True)
class _Document:
    came_at: float
    begun_at: float = 0.0
    ended_at: float = 0.0
    step: int = 0


def simulate(scenario: Scenario, seed: int = 7) -> Simulated:
    """Return what the scenario gives; the same seed gives the same."""
    run = _Run(scenario, random.Random(seed))
    run.run()
    return run.outcome()


class _Run:
    def __init__(self, scenario: Scenario, chance: random.Random) -> None:
        self._scenario = scenario
        self._chance = chance
        self._events: list[tuple[float, int, str, _Document]] = []
        self._order = count()
        self._waiting: deque[_Document] = deque()
        self._computing: deque[_Document] = deque()
        self._documents: list[_Document] = []
        self._processors = max(1, round(scenario.cores))
        self._speed = scenario.cores / self._processors
        self._free_processors = self._processors
        self._workers = 0
        self._free_places = 0
        self._most_in_flight = 0
        self._computed = 0.0

    def run(self) -> None:
        for at in _arrivals(self._scenario, self._chance):
            document = _Document(at)
            self._documents.append(document)
            self._later(at + CLAIM_SECONDS, "comes", document)
        while self._events:
            at, _, what, document = heappop(self._events)
            if what == "comes":
                self._waiting.append(document)
            elif what == "computes":
                self._computing.append(document)
            elif what == "has computed":
                self._free_processors += 1
                self._after_computing(at, document)
            self._begin(at)
            self._compute(at)

    def outcome(self) -> Simulated:
        scenario = self._scenario
        measured = [each for each in self._documents if each.came_at >= scenario.warm_up]
        begin, end = scenario.warm_up, scenario.seconds
        within = sum(begin <= each.ended_at < end for each in self._documents)
        whole = [each.ended_at - each.came_at for each in measured]
        return Simulated(
            documents_per_hour=within / (end - begin) * 3600,
            queue_p95=percentile([each.begun_at - each.came_at for each in measured], 95),
            whole_p50=percentile(whole, 50),
            whole_p95=percentile(whole, 95),
            most_in_flight=self._most_in_flight,
            busy_cores=self._computed / max(each.ended_at for each in self._documents),
        )

    def _begin(self, now: float) -> None:
        wanted = min(self._scenario.workers, -(-len(self._waiting) // self._scenario.jobs_per_worker))
        if wanted > self._workers:
            self._free_places += (wanted - self._workers) * self._scenario.in_flight
            self._workers = wanted
        while self._waiting and self._free_places:
            document = self._waiting.popleft()
            document.begun_at = now
            self._free_places -= 1
            taken = self._workers * self._scenario.in_flight - self._free_places
            self._most_in_flight = max(self._most_in_flight, taken)
            self._computing.append(document)

    def _compute(self, now: float) -> None:
        while self._computing and self._free_processors:
            document = self._computing.popleft()
            self._free_processors -= 1
            seconds = self._scenario.cpu_seconds * SHARES[document.step]
            self._computed += seconds
            self._later(now + seconds / self._speed, "has computed", document)

    def _after_computing(self, now: float, document: _Document) -> None:
        document.step += 1
        if document.step == 1:
            is_local = self._chance.random() < self._scenario.local_share
            wait = 0.0 if is_local else self._scenario.parse_seconds + self._noticed_after()
            self._later(now + wait, "computes", document)
        elif document.step == len(SHARES) - 1:
            self._later(now + self._scenario.embed_seconds, "computes", document)
        else:
            document.ended_at = now
            self._free_places += 1

    def _noticed_after(self) -> float:
        return self._chance.uniform(0, 2 * self._scenario.noticed_after)

    def _later(self, at: float, what: str, document: _Document) -> None:
        heappush(self._events, (at, next(self._order), what, document))


def _arrivals(scenario: Scenario, chance: random.Random) -> Iterator[float]:
    interval, at = 3600 / scenario.documents_per_hour, 0.0
    while at < scenario.seconds:
        yield at
        at += interval if scenario.evenly else chance.expovariate(1 / interval)


def limits(scenario: Scenario) -> dict[str, float]:
    """Return how many documents an hour each part could do, if all others were free."""
    parse = (1 - scenario.local_share) * (scenario.parse_seconds + scenario.noticed_after)
    held = scenario.cpu_seconds + parse + scenario.embed_seconds
    return {
        "places": 3600 * scenario.workers * scenario.in_flight / held,
        "cores": 3600 * scenario.cores / scenario.cpu_seconds,
    }
