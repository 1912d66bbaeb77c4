"""Documents that wait for a provider make room for others; those that come back go first."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Barrier, Event, Lock

import pytest

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Document, ParsedDocument, Producer, UserId
from ingest_assets.domain.queue.lanes import Lane
from ingest_assets.pipeline.drain import DrainLimits
from ingest_assets.pipeline.drain_worker import Kind
from ingest_assets.pipeline.slots import Slot, Slots
from ingest_assets_tests.documents import policy_text, submit, take_through
from ingest_assets_tests.waiting import until

SECONDS = 60
"""For what would otherwise wait for ever."""


@dataclass
class SlowProvider:
    """Parses nothing until so many documents wait for it at once."""

    behind: LocalParser
    together: Barrier
    parsed: list[str] = field(default_factory=list)

    def producer_of(self, media_type: str) -> Producer:
        return self.behind.producer_of(media_type)

    def costs_nothing(self, media_type: str) -> bool:  # noqa: ARG002  a provider's work
        return False

    def parse(self, content: bytes, document: Document) -> ParsedDocument:
        self.together.wait(SECONDS)
        return self.behind.parse(content, document)


@dataclass
class CountingProvider(SlowProvider):
    """Counts, besides, the most documents that it had at once."""

    lock: Lock = field(default_factory=Lock)
    now: int = 0
    most: int = 0

    def parse(self, content: bytes, document: Document) -> ParsedDocument:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            return super().parse(content, document)
        finally:
            with self.lock:
                self.now -= 1


def test_many_documents_wait_for_a_provider_where_few_may_compute(
    deployment: Deployment, parser: LocalParser, user: UserId
) -> None:
    for number in range(20):
        submit(deployment, user, policy_text(f"Subject {number}", 2), f"{number}.md")
    waiting = deployment.replacing(parser=SlowProvider(parser, Barrier(20)))
    limits = DrainLimits(in_flight=2, ahead=2, idle=timedelta(0))
    assert waiting.drain.run("worker", limits, stop=Event(), report=lambda: None).done == 20


def taken(slots: Slots, *, heavy: bool = False, lane: Lane | None = None) -> Slot:
    slot = slots.try_take(heavy=heavy, lane=lane)
    assert slot is not None
    return slot


def test_of_many_that_ask_at_once_as_many_get_a_slot_as_there_are() -> None:
    slots, together = Slots(3, freed=lambda: None), Barrier(16)

    def ask(_: int) -> Slot | None:
        together.wait(SECONDS)
        return slots.try_take(heavy=False)

    with ThreadPoolExecutor(16) as pool:
        assert sum(slot is not None for slot in pool.map(ask, range(16))) == 3


def test_a_lent_slot_is_free_for_another_document() -> None:
    freed: list[bool] = []
    slots = Slots(1, freed=lambda: freed.append(True))
    slot = taken(slots)
    assert slots.try_take(heavy=False) is None
    with slot.lent(Lane.PARSE):
        assert (slots.waiting, freed) == (1, [True])
        taken(slots).give_back()
    assert (slots.try_take(heavy=False), slots.waiting) == (None, 0)


@pytest.mark.parametrize("heavy", [True, False])
def test_a_document_that_comes_back_goes_before_one_that_has_not_begun(heavy: bool) -> None:  # noqa: FBT001
    slots, lent, come_back = Slots(1, freed=lambda: None), Event(), Event()
    slot = taken(slots, heavy=heavy)

    def wait_for_provider() -> None:
        with slot.lent(Lane.PARSE):
            lent.set()
            come_back.wait(SECONDS)

    with ThreadPoolExecutor(1) as pool:
        returning = pool.submit(wait_for_provider)
        lent.wait(SECONDS)
        other = taken(slots, heavy=heavy)
        come_back.set()
        while slots.waiting:
            pass
        assert not returning.done()
        assert slots.try_take(heavy=heavy) is None
        other.give_back()
        returning.result(SECONDS)


def test_heavy_documents_leave_a_slot_for_light_ones() -> None:
    slots = Slots(3, freed=lambda: None)
    first, _ = taken(slots, heavy=True), taken(slots, heavy=True)
    assert slots.try_take(heavy=True) is None
    light = taken(slots)
    first.give_back()
    assert slots.try_take(heavy=True) is not None
    light.give_back()
    assert slots.try_take(heavy=True) is None


def test_light_documents_may_have_every_slot() -> None:
    slots = Slots(3, freed=lambda: None)
    assert all(slots.try_take(heavy=False) for _ in range(3))
    assert slots.try_take(heavy=True) is None


def test_the_only_slot_is_for_any_document() -> None:
    assert Slots(1, freed=lambda: None).try_take(heavy=True) is not None


def test_a_heavy_document_that_comes_back_waits_for_a_heavy_one_and_holds_up_no_light_one() -> None:
    slots, lent, come_back = Slots(2, freed=lambda: None), Event(), Event()
    slot = taken(slots, heavy=True)

    def wait_for_provider() -> None:
        with slot.lent(Lane.PARSE):
            lent.set()
            come_back.wait(SECONDS)

    with ThreadPoolExecutor(1) as pool:
        returning = pool.submit(wait_for_provider)
        lent.wait(SECONDS)
        other = taken(slots, heavy=True)
        come_back.set()
        while slots.waiting:
            pass
        taken(slots).give_back()
        assert not returning.done()
        other.give_back()
        returning.result(SECONDS)


def test_no_document_begins_whose_lane_is_full_of_those_that_are_in_it_or_on_their_way() -> None:
    slots = Slots(3, places={Lane.PARSE: 1}, freed=lambda: None)
    first = taken(slots, lane=Lane.PARSE)
    assert slots.try_take(heavy=False, lane=Lane.PARSE) is None
    with first.lent(Lane.PARSE):
        assert slots.try_take(heavy=False, lane=Lane.PARSE) is None
        taken(slots, lane=Lane.EMBED).give_back()
        taken(slots).give_back()
    taken(slots, lane=Lane.PARSE).give_back()


def test_a_document_that_ends_before_it_comes_to_its_lane_makes_room_in_it() -> None:
    slots = Slots(2, places={Lane.PARSE: 1}, freed=lambda: None)
    taken(slots, lane=Lane.PARSE).give_back()
    taken(slots, lane=Lane.PARSE).give_back()


def test_a_document_waits_without_a_slot_until_its_next_lane_has_room() -> None:
    slots, happened = Slots(1, places={Lane.EMBED: 1}, freed=lambda: None), list[str]()
    other = taken(slots)

    def embed(slot: Slot) -> None:
        with slot.lent(Lane.EMBED):
            happened.append("entered")

    with ThreadPoolExecutor(1) as pool:
        with other.lent(Lane.EMBED):
            embedding = pool.submit(embed, taken(slots))
            until(lambda: slots.waiting == 2)
            taken(slots).give_back()
            with pytest.raises(TimeoutError):  # as long as nobody leaves the lane
                embedding.result(0.2)
            happened.append("left")
        other.give_back()
        embedding.result(SECONDS)
    assert happened == ["left", "entered"]


def test_a_worker_has_no_more_documents_at_a_provider_than_its_lane_holds(
    deployment: Deployment, parser: LocalParser, user: UserId
) -> None:
    for number in range(9):
        submit(deployment, user, policy_text(f"Subject {number}", 2), f"{number}.md")
    provider = CountingProvider(parser, Barrier(3))
    waiting = deployment.replacing(parser=provider)
    drain = replace(waiting.drain, places={Lane.PARSE: 3, Lane.EMBED: 1})
    limits = DrainLimits(in_flight=4, idle=timedelta(0))
    assert drain.run("worker", limits, stop=Event(), report=lambda: None).done == 9
    assert provider.most == 3


@pytest.mark.parametrize(("parsed_remotely", "most"), [(True, 64), (False, 8)])
def test_only_documents_that_a_provider_parses_may_be_many_megabytes_together(
    parsed_remotely: bool,  # noqa: FBT001
    most: int,
) -> None:
    """What is parsed here and only embedded by a provider takes this machine's memory."""
    place = Lane.PARSE if parsed_remotely else Lane.EMBED
    assert Kind(heavy=False, place=place).most_bytes == most * 1024 * 1024


def test_a_document_that_is_parsed_already_waits_for_no_parser(
    deployment: Deployment, parser: LocalParser, user: UserId
) -> None:
    submit(deployment, user, policy_text())
    waiting = deployment.replacing(parser=SlowProvider(parser, Barrier(1)))
    [job] = waiting.claims.claim("worker", 1, waiting.settings.lease)
    assert waiting.attempts.place_of(job) == Lane.PARSE
    take_through(waiting, job, "parsed_markdown")
    waiting.claims.release("worker")
    [again] = waiting.claims.claim("worker", 1, waiting.settings.lease)
    assert waiting.attempts.place_of(again) is None
