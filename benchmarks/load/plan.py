"""What is sent when: all due times are fixed in advance, so a slow answer delays nothing that comes after it.

A client that waits for an answer before it sends the next request measures fewer of the slow moments than its users
meet (coordinated omission). Here each wait is counted from the moment at which the request was due.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from benchmarks.load.letters import WORDS

SECONDS_PER_HOUR = 3_600
WORDS_PER_QUERY = (3, 5)


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """How much load for how long."""

    minutes: float = 15.0
    """How long figures are taken, after `warm_up` seconds of the same load."""
    documents_per_hour: float = 10_100.0
    """One in a hundred more than are to be sustained, since some are always under way when the time ends."""
    users: int = 200
    searches_per_second: float = 20.0
    parse_seconds: float = 15.0
    """How long a remote job of the parsing provider takes."""
    embed_seconds: float = 0.5
    """How long a request of the embedding provider takes."""
    fault_share: float = 0.01
    """Of all requests to providers: 5xx, resets, garbled answers, failed jobs."""
    limited_share: float = 0.005
    """Of all requests to providers: 429 with Retry-After."""
    broken_every: int = 400
    """One of so many documents cannot be parsed by anybody; it belongs into the dead letters."""
    settling: float = 25.0
    """How long, before figures are taken, the first workers may need to start; searches begin halfway."""
    seed: int = 7

    @property
    def interval(self) -> float:
        """The seconds from one document to the next."""
        return SECONDS_PER_HOUR / self.documents_per_hour

    @property
    def stocking(self) -> float:
        """How long it takes until each user has submitted a first document."""
        return self.users * self.interval

    @property
    def warm_up(self) -> float:
        """When figures begin to be taken: each user's first document should be searchable."""
        return self.stocking + 2 * self.parse_seconds + self.settling

    @property
    def seconds(self) -> float:
        """How long requests are sent."""
        return self.warm_up + 60 * self.minutes

    def is_broken(self, document: int) -> bool:
        """Return whether this document, counted from 0, is one that cannot be parsed; no user's first one is."""
        return document >= self.users and document % self.broken_every == self.broken_every // 2


@dataclass(frozen=True, slots=True)
class Posting:
    """A document that is to be submitted."""

    due: float
    """In seconds from the beginning."""
    number: int
    user: int


@dataclass(frozen=True, slots=True)
class Question:
    """A search that is to be made."""

    due: float
    query: str
    user: int


def user_id(number: int) -> UUID:
    """Return the id of a user, counted from 0."""
    return UUID(int=(0x10AD << 100) + number + 1)


def postings(plan: LoadPlan) -> Iterator[Posting]:
    """Yield the documents in the order of their due times: one of each user, then those of random users."""
    for user in range(plan.users):
        yield Posting(user * plan.interval, user, user)
    chance = random.Random(plan.seed)
    for later in range(round((plan.seconds - plan.stocking) / plan.interval)):
        due = plan.stocking + later * plan.interval
        yield Posting(due, plan.users + later, chance.randrange(plan.users))


def questions(plan: LoadPlan) -> Iterator[Question]:
    """Yield the searches in the order of their due times: random words that documents hold, by random users."""
    chance, first = random.Random(plan.seed + 1), plan.warm_up - plan.settling / 2
    for number in range(round((plan.seconds - first) * plan.searches_per_second)):
        words = chance.sample(WORDS, chance.randint(*WORDS_PER_QUERY))
        yield Question(first + number / plan.searches_per_second, " ".join(words), chance.randrange(plan.users))
