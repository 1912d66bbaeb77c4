"""Whoever follows a user's documents, and the one look at the history that serves all of them.

Everything happens in the event loop's thread, so nothing is locked. Only questions to the database take another thread,
one at a time, so that followers together use one connection.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

from fastapi.concurrency import run_in_threadpool

from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import ResourceError
from ingest_assets.domain.queue.jobs import Announcement
from ingest_assets.http.authentication import Admission
from ingest_assets.http.problems import RETRY_SECONDS, RefusalError
from ingest_assets.pipeline.failure import as_ingest_error
from ingest_assets.pipeline.ports.reading import Announcements, Documents

logger = logging.getLogger("ingest_assets.http")
Answer = TypeVar("Answer")

LOOK_SECONDS = 1.0
WRITER_SECONDS = 0.1
"""How long to wait for transactions that are writing events; most take a few milliseconds."""
OUTAGE_SECONDS = 3.0
EVENTS_AT_ONCE = 10_000
"""How many events of everybody one question reads: whoever goes on from long ago comes in turns with the others."""
ANNOUNCEMENTS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How many follow at a time, and for how long: a stream that ends is opened again where it ended."""

    at_once: int
    at_once_per_user: int
    seconds: float


@dataclass(eq=False, slots=True)
class Follower:
    """One stream."""

    user: UserId
    ends_at: float
    """By the monotonic clock."""
    position: int | None
    """The event up to which everything was told; None for now, until the history has been looked at."""
    until: int | None = None
    """The event up to which there may be something to tell; None until the history has been looked at."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_behind(self) -> bool:
        return self.position is not None and self.until is not None and self.position < self.until

    @property
    def seconds_left(self) -> float:
        return self.ends_at - time.monotonic()

    def go_on(self, horizon: int, *, has_news: bool) -> None:
        """Take note of the history's horizon; without news, nothing needs to be read up to it."""
        begins = self.until is None
        if self.position is None or (self.position == self.until and not has_news):
            self.position = horizon
        self.position = min(self.position, horizon)
        self.until = horizon
        if begins or self.position < horizon:
            self.changed.set()


class Followers:
    """Admits followers and tells each one what is new of its user's documents.

    Nothing is lost, because nobody is told of an event before all with lower ids can be read, too.
    """

    def __init__(
        self,
        announcements: Callable[[], Announcements],
        documents_of: Callable[[UserId], Documents],
        limits: StreamLimits,
    ) -> None:
        """Look at the history as long as somebody follows; what is told is read as its user may see it."""
        self._announcements = announcements
        self._documents_of = documents_of
        self._limits = limits
        self._followers: set[Follower] = set()
        self._of_user: Counter[UserId] = Counter()
        self._horizon: int | None = None
        self._looking: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._closed = False

    @contextmanager
    def admit(self, admission: Admission, after: int | None) -> Iterator[Follower]:
        """Admit a follower behind an event, or from now on, until the token expires.

        Raises:
            RefusalError: streams_of_user_full, streams_full.
        """
        user = admission.user
        if self._of_user[user] >= self._limits.at_once_per_user:
            raise _refusal("streams_of_user_full")
        if self._closed or len(self._followers) >= self._limits.at_once:
            raise _refusal("streams_full")
        seconds = min(admission.expires_at - time.time(), self._limits.seconds)
        follower = Follower(user, time.monotonic() + seconds, after)
        self._followers.add(follower)
        self._of_user[user] += 1
        self._begin(follower)
        try:
            yield follower
        finally:
            self._followers.discard(follower)
            self._of_user[user] -= 1
            if not self._of_user[user]:
                del self._of_user[user]

    async def follow(self, follower: Follower) -> AsyncIterator[int | Announcement]:
        """Yield the event behind which the follower begins, and then what is new, until its time is over."""
        if await self._changed(follower) and follower.position is not None:
            yield follower.position
        while await self._changed(follower):
            for announcement in await self._read(follower):
                yield announcement

    def close(self) -> None:
        """End all streams, and admit none any more."""
        self._closed = True
        if self._looking is not None:
            self._looking.cancel()
        for follower in self._followers:
            follower.changed.set()

    def _begin(self, follower: Follower) -> None:
        if self._looking is None or self._looking.done():
            self._horizon = None
            self._looking = asyncio.create_task(self._look(), name="look at the history")
        elif self._horizon is not None:
            follower.go_on(self._horizon, has_news=True)

    async def _changed(self, follower: Follower) -> bool:
        """Wait until there may be something to tell; return False when the stream is to end."""
        if not follower.is_behind:
            with suppress(TimeoutError):
                async with asyncio.timeout(follower.seconds_left):
                    await follower.changed.wait()
            follower.changed.clear()
        return not self._closed and follower.seconds_left > 0

    async def _read(self, follower: Follower) -> list[Announcement]:
        """Return what is next, and move the follower on; in an outage return nothing, and stay."""
        after, horizon = follower.position or 0, follower.until or 0
        if horizon <= after:
            return []
        until = min(horizon, after + EVENTS_AT_ONCE)
        documents = self._documents_of(follower.user)
        try:
            found = await self._ask(lambda: documents.announced(after, until, ANNOUNCEMENTS_AT_ONCE))
        except Exception as error:
            _warn(error)
            await asyncio.sleep(OUTAGE_SECONDS)
            return []
        follower.position = found[-1].event_id if len(found) == ANNOUNCEMENTS_AT_ONCE else until
        return found

    async def _look(self) -> None:
        """Look at the history as long as somebody follows."""
        announcements = self._announcements()
        while self._followers and not self._closed:
            try:
                horizon = await self._ask(announcements.horizon)
                if horizon is not None:
                    await self._tell(announcements, horizon)
                pause = WRITER_SECONDS if horizon is None else LOOK_SECONDS
            except Exception as error:
                _warn(error)
                pause = OUTAGE_SECONDS
            await asyncio.sleep(pause)

    async def _tell(self, announcements: Announcements, horizon: int) -> None:
        """Tell all followers how far the history can be read, and whether that is worth their while."""
        before, asked = self._horizon, set(self._of_user)
        if before == horizon:
            return
        news: Collection[UserId] = asked
        if before is not None:
            news = await self._ask(lambda: announcements.users_between(asked, before, horizon))
        self._horizon = horizon
        for follower in self._followers:
            follower.go_on(horizon, has_news=follower.user in news or follower.user not in asked)

    async def _ask(self, question: Callable[[], Answer]) -> Answer:
        async with self._turn:
            return await run_in_threadpool(question)


def _warn(error: Exception) -> None:
    """Log the error without its traceback, which may quote a document."""
    expected = as_ingest_error(error)
    logger.warning("%s: %s", expected.code, expected.message)


def _refusal(code: str) -> RefusalError:
    return RefusalError(ResourceError(code), {"Retry-After": str(RETRY_SECONDS)})
