"""What a watch must be able to rely on: nothing that arrives is lost, and nothing is taken in twice."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Acceptance, UserId
from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.files.skipping import SkipReason
from ingest_assets.pipeline.intake import Intake
from ingest_assets.pipeline.ports.watching import EventSource, Notice
from ingest_assets.pipeline.watch import Arrivals, Outcome, Watch
from ingest_assets_tests.documents import policy_text
from ingest_assets_tests.waiting import until


class Crash(BaseException):
    """The process ends here."""


@dataclass
class SteppedClock:
    """A clock that only a test moves on."""

    at: float = 1000.0

    def now(self) -> datetime:
        raise NotImplementedError

    def seconds(self) -> float:
        return self.at


class Place(Protocol):
    """Where a test lets files arrive."""

    def opened(self) -> EventSource: ...

    def arrivals(self, deployment: Deployment, user: UserId) -> Arrivals:
        """What takes them in, with pruning."""

    def arrive(self, name: str, text: str) -> str:
        """Let a file arrive, and return the source of its document."""

    def leave(self, name: str) -> None: ...

    def pass_time(self) -> None:
        """Let so much time pass that what was postponed is told again."""


@dataclass
class Told:
    """What a watch has told."""

    outcomes: list[Outcome] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def tell(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    def tell_trouble(self, trouble: IngestError) -> None:
        self.troubles.append(trouble.code)

    def of(self, source: str) -> list[str]:
        return [became(each) for each in self.outcomes if each.source == source]

    @property
    def counts(self) -> Counter[str]:
        return Counter(map(became, self.outcomes))


def became(outcome: Outcome) -> str:
    match outcome.became:
        case Acceptance(status=status):
            return status.value
        case IngestError(code=code):
            return code
        case SkipReason() as reason:
            return reason.value
        case _:
            return "pruned"


def watch(source: EventSource, arrivals: Arrivals, told: Told) -> Watch:
    return Watch(source, arrivals, told.tell, told.tell_trouble, pause_seconds=0.05)


class EventSourceContract:
    """A suite gives the fixture `place`."""

    @pytest.fixture
    def place(self) -> Place:
        raise NotImplementedError

    @pytest.fixture
    def taking(
        self, place: Place, deployment: Deployment, user: UserId
    ) -> Callable[[EventSource, Told, Deployment | None], Watch]:
        def make(source: EventSource, told: Told, other: Deployment | None = None) -> Watch:
            return watch(source, place.arrivals(other or deployment, user), told)

        return make

    def test_what_arrives_is_told_until_it_is_acknowledged(self, place: Place) -> None:
        source = place.opened()
        place.arrive("a.md", policy_text("A"))
        first = told_by(source, place)
        source.close()
        again = place.opened()
        second = told_by(again, place)
        for notice in second:
            again.acknowledge(notice)
        assert len(first) == len(second)
        assert again.receive() == []
        again.close()

    def test_a_postponed_notice_is_told_again(self, place: Place) -> None:
        source = place.opened()
        place.arrive("a.md", policy_text("A"))
        first = told_by(source, place)
        for notice in first:
            source.postpone(notice)
        assert {each.content for each in told_by(source, place)} == {each.content for each in first}
        source.close()

    def test_what_comes_after_a_notice_is_told_though_the_notice_is_acknowledged(
        self, place: Place, deployment: Deployment, user: UserId
    ) -> None:
        source, told = place.opened(), Told()
        arrivals = place.arrivals(deployment, user)
        origin = place.arrive("a.md", policy_text("A"))
        notices = told_by(source, place)
        arrivals.take_in(notices, told.tell)
        place.arrive("a.md", policy_text("B"))
        for notice in notices:
            source.acknowledge(notice)
        go_on(watch(source, arrivals, told), place, lambda: "new_version" in told.of(origin))
        source.close()

    def test_what_arrives_is_taken_in_and_what_goes_is_pruned(
        self, place: Place, taking: Any, deployment: Deployment
    ) -> None:
        source, told = place.opened(), Told()
        watching = taking(source, told)
        origins = [place.arrive(f"{name}.md", policy_text(name)) for name in ("a", "b b+ä", "c/d")]
        go_on(watching, place, lambda: told.counts["queued"] == 3)
        assert {told.of(origin)[0] for origin in origins} == {"queued"}
        place.leave("a.md")
        go_on(watching, place, lambda: told.counts["pruned"] == 1)
        assert told.of(origins[0])[-1] == "pruned"
        assert deployment.documents.counts()["documents"] == 2
        source.close()

    def test_a_crash_before_the_commit_loses_nothing(self, place: Place, taking: Any, deployment: Deployment) -> None:
        source, told = place.opened(), Told()
        origin = place.arrive("a.md", policy_text("A"))
        with pytest.raises(Crash):
            go_on(taking(source, told, deployment.replacing(intake=_crashing(deployment.intake))), place)
        source.close()
        assert deployment.documents.counts()["documents"] == 0
        source = place.opened()
        go_on(taking(source, told), place, lambda: told.of(origin) == ["queued"])
        source.close()

    def test_a_crash_between_the_commit_and_the_acknowledgement_makes_no_second_document(
        self, place: Place, taking: Any, deployment: Deployment
    ) -> None:
        source, told = place.opened(), Told()
        origin = place.arrive("a.md", policy_text("A"))
        with pytest.raises(Crash):
            go_on(taking(_NeverAcknowledging(source), told), place)
        assert told.of(origin) == ["queued"]
        source.close()
        source = place.opened()
        watching = taking(source, told)
        other = place.arrive("b.md", policy_text("B"))
        go_on(watching, place, lambda: told.of(other))
        until(lambda: watching.take_in_next() == 0)
        assert "queued" not in told.of(origin)[1:]
        assert deployment.documents.counts()["documents"] == 2
        source.close()

    def test_what_is_wrong_with_one_file_is_told_and_the_others_are_taken_in(self, place: Place, taking: Any) -> None:
        source, told = place.opened(), Told()
        wrong = place.arrive("a.pdf", "This is no PDF.")
        right = place.arrive("b.md", policy_text("B"))
        watching = taking(source, told)
        go_on(watching, place, lambda: told.of(wrong) and told.of(right))
        assert (told.of(wrong), told.of(right)) == (["type_mismatch"], ["queued"])
        assert told.troubles == []
        source.close()


def told_by(source: EventSource, place: Place) -> Sequence[Notice]:
    def receive() -> Sequence[Notice]:
        place.pass_time()
        return source.receive()

    return list(until(receive))


def go_on(watching: Watch, place: Place, enough: Callable[[], Any] = lambda: False) -> None:
    """Watch until it is enough; what is postponed meanwhile is told again soon."""

    def take_in() -> Any:
        place.pass_time()
        watching.take_in_next()
        return enough()

    until(take_in, timeout=60)


@dataclass
class _NeverAcknowledging:
    source: EventSource

    def receive(self) -> Sequence[Notice]:
        return self.source.receive()

    def acknowledge(self, _: Notice) -> None:
        raise Crash

    def postpone(self, notice: Notice) -> None:
        self.source.postpone(notice)

    def close(self) -> None:
        self.source.close()


def _crashing(intake: Intake) -> Intake:
    """An intake that stores what comes, and then crashes instead of writing the rows."""

    class Records:
        def __getattr__(self, name: str) -> Any:
            return getattr(intake.records, name)

        def accept(self, *_: Any) -> Any:
            raise Crash

    return replace(intake, records=Records())
