"""What a watch of folders tells, and when it looks through all of them again."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ingest_assets.adapters.watched_folders import WatchedFolders
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.pipeline.file_intake import FileIntake
from ingest_assets.pipeline.folder_arrivals import FolderArrivals, WatchedPlaces
from ingest_assets_tests.contracts.watching_contract import EventSourceContract, SteppedClock, told_by
from ingest_assets_tests.documents import TEST
from ingest_assets_tests.waiting import until

SETTLE = 2.0


@dataclass
class FolderPlace:
    folder: Path
    clock: SteppedClock = field(default_factory=SteppedClock)

    def opened(self, pass_seconds: float = 1e9, many: int = 1000) -> WatchedFolders:
        return WatchedFolders([self.folder], self.clock, settle_seconds=SETTLE, pass_seconds=pass_seconds, many=many)

    def arrivals(self, deployment: Deployment, user: UserId) -> FolderArrivals:
        intake = FileIntake(deployment.intake, deployment.files, user)
        places = WatchedPlaces([self.folder])
        return FolderArrivals(places, intake, deployment.files, self.clock, TEST, 0.0, deployment.pruning)

    def arrive(self, name: str, text: str) -> str:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
        return str(path)

    def leave(self, name: str) -> None:
        (self.folder / name).unlink()

    def pass_time(self) -> None:
        self.clock.at += SETTLE


@pytest.fixture
def place(tmp_path: Path) -> FolderPlace:
    (tmp_path / "watched").mkdir()
    return FolderPlace(tmp_path / "watched")


def paths(source: WatchedFolders) -> list[str]:
    return [notice.content for notice in source.receive()]


class TestWatchedFolders(EventSourceContract):
    @pytest.fixture
    def place(self, place: FolderPlace) -> FolderPlace:
        return place


def test_a_whole_folder_is_told_first_and_then_what_changes(place: FolderPlace) -> None:
    place.arrive("old.md", "old")
    source = place.opened()
    assert paths(source) == [str(place.folder)]
    new = place.arrive("new.md", "new")
    assert [each.content for each in told_by(source, place)] == [new]


def test_a_path_is_told_once_nothing_more_has_happened_to_it(place: FolderPlace) -> None:
    source = place.opened()
    source.receive()
    path = place.arrive("a.md", "beginning")
    until(lambda: source.receive() or source._due)
    for more in ("beginning, middle", "beginning, middle, end"):
        place.clock.at += SETTLE / 2
        due = dict(source._due)
        place.arrive("a.md", more)
        until(lambda due=due: source.receive() or source._due != due)
        assert source._due == {path: place.clock.at + SETTLE}
    place.clock.at += SETTLE
    assert paths(source) == [path]


def test_a_folder_is_told_again_after_an_interval(place: FolderPlace) -> None:
    source = place.opened(pass_seconds=60)
    source.receive()
    assert paths(source) == []
    place.clock.at += 60
    assert paths(source) == [str(place.folder)]


def test_so_many_changes_that_some_may_be_missing_are_followed_by_a_pass(place: FolderPlace) -> None:
    source = place.opened(many=5)
    source.receive()
    for number in range(20):
        place.arrive(f"{number}.md", "text")
    assert str(place.folder) in [each.content for each in told_by(source, place)]


def test_a_folder_that_was_replaced_is_watched_anew(place: FolderPlace) -> None:
    source = place.opened()
    source.receive()
    place.folder.rename(place.folder.with_name("away"))
    assert str(place.folder) in [each.content for each in told_by(source, place)]
    place.folder.mkdir()
    assert str(place.folder) in [each.content for each in told_by(source, place)]
    new = place.arrive("new.md", "new")
    assert [each.content for each in told_by(source, place)] == [new]


def test_without_the_kernels_help_the_folder_is_looked_at_again_and_again(
    place: FolderPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", "1")
    monkeypatch.setenv("WATCHFILES_POLL_DELAY_MS", "50")
    source = place.opened()
    source.receive()
    new = place.arrive("new.md", "new")
    assert new in [each.content for each in told_by(source, place)]
