"""What a watch does when something else than a file is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from ingest_assets.domain.errors import IngestError, OutageError, PermanentError, ResourceError, TransientError
from ingest_assets.pipeline.ports.watching import Notice
from ingest_assets.pipeline.watch import Tell
from ingest_assets_tests.contracts.watching_contract import Told, watch

A, B = Notice("a"), Notice("b")


@dataclass
class Script:
    """A source and what takes its notices in; each of them raises what a test puts there first."""

    receiving: list[IngestError] = field(default_factory=list)
    taking_in: list[IngestError] = field(default_factory=list)
    acknowledging: list[IngestError] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    def receive(self) -> Sequence[Notice]:
        self._raise_next(self.receiving)
        return [A, B]

    def take_in(self, notices: Sequence[Notice], _: Tell) -> Sequence[Notice]:
        self._raise_next(self.taking_in)
        self.done.append("took in")
        return notices[1:]

    def acknowledge(self, notice: Notice) -> None:
        self._raise_next(self.acknowledging)
        self.done.append(f"acknowledged {notice.content}")

    def postpone(self, notice: Notice) -> None:
        self.done.append(f"postponed {notice.content}")

    def close(self) -> None:
        raise NotImplementedError

    def _raise_next(self, errors: list[IngestError]) -> None:
        if errors:
            raise errors.pop(0)


def run(script: Script) -> Told:
    told = Told()
    assert watch(script, script, told).take_in_next() == 2
    return told


def away() -> list[IngestError]:
    return [OutageError("database_unreachable"), OutageError("database_unreachable")]


TAKEN_IN = ["took in", "postponed b", "acknowledged a"]


@pytest.mark.parametrize("where", ["receiving", "taking_in", "acknowledging"])
def test_an_outage_is_told_once_and_waited_for_wherever_it_happens(where: str) -> None:
    script = Script()
    setattr(script, where, away())
    assert run(script).troubles == ["database_unreachable"]
    assert script.done == TAKEN_IN


def test_a_second_outage_is_told_too() -> None:
    script = Script(receiving=away(), acknowledging=away())
    assert run(script).troubles == ["database_unreachable", "database_unreachable"]


def test_files_whose_commit_was_not_confirmed_are_taken_in_again_at_once() -> None:
    script = Script(taking_in=[TransientError("intake_unconfirmed")])
    assert run(script).troubles == ["intake_unconfirmed"]
    assert script.done == TAKEN_IN


def test_what_cannot_be_taken_in_now_is_told_again_later() -> None:
    script = Script(taking_in=[ResourceError("database_locked", seconds=1)])
    assert run(script).troubles == ["database_locked"]
    assert script.done == ["postponed a", "postponed b"]


def test_what_waiting_cannot_mend_ends_the_watch() -> None:
    script = Script(taking_in=[PermanentError("rows_unprotected", tables="documents")])
    with pytest.raises(PermanentError, match="rows_unprotected"):
        run(script)
    assert script.done == []
