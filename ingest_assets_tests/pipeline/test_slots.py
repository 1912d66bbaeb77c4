"""Documents that wait for a provider make room for others; those that come back go first."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Barrier, Event

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Document, ParsedDocument, Producer, UserId
from ingest_assets.pipeline.drain import DrainLimits
from ingest_assets.pipeline.slots import Slots
from ingest_assets_tests.documents import policy_text, submit

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


def test_many_documents_wait_for_a_provider_where_few_may_compute(
    deployment: Deployment, parser: LocalParser, user: UserId
) -> None:
    for number in range(20):
        submit(deployment, user, policy_text(f"Subject {number}", 2), f"{number}.md")
    waiting = deployment.replacing(parser=SlowProvider(parser, Barrier(20)))
    limits = DrainLimits(in_flight=2, ahead=2, idle=timedelta(0))
    assert waiting.drain.run("worker", limits, stop=Event(), report=lambda: None).done == 20


def test_a_lent_slot_is_free_for_another_document() -> None:
    freed: list[bool] = []
    slots = Slots(1, freed=lambda: freed.append(True))
    slots.take()
    assert slots.free == 0
    with slots.lent():
        assert (slots.free, slots.waiting, freed) == (1, 1, [True])
    assert (slots.free, slots.waiting) == (0, 0)


def test_a_document_that_comes_back_goes_before_one_that_has_not_begun() -> None:
    slots, lent, come_back = Slots(1, freed=lambda: None), Event(), Event()
    slots.take()

    def wait_for_provider() -> None:
        with slots.lent():
            lent.set()
            come_back.wait(SECONDS)

    with ThreadPoolExecutor(1) as pool:
        returning = pool.submit(wait_for_provider)
        lent.wait(SECONDS)
        slots.take()
        come_back.set()
        while slots.waiting:
            pass
        assert not returning.done()
        assert slots.free == 0
        slots.give_back()
        returning.result(SECONDS)
