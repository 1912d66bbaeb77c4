"""What a watch of folders takes in, what it waits for, and what it does not tell again."""

from pathlib import Path

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.pipeline.file_intake import FileIntake
from ingest_assets.pipeline.folder_arrivals import FolderArrivals, WatchedPlaces
from ingest_assets.pipeline.ports.watching import Notice
from ingest_assets_tests.contracts.watching_contract import SteppedClock, Told
from ingest_assets_tests.documents import TEST, policy_text

AN_HOUR = 3600.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "watched").mkdir()
    return tmp_path / "watched"


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


def arrivals(
    deployment: Deployment, user: UserId, folder: Path, clock: SteppedClock, settle: float = 0.0
) -> FolderArrivals:
    intake = FileIntake(deployment.intake, deployment.files, user)
    return FolderArrivals(WatchedPlaces([folder]), intake, deployment.files, clock, TEST, settle, deployment.pruning)


def test_a_file_that_has_just_changed_is_taken_in_once_it_has_rested(
    deployment: Deployment, user: UserId, folder: Path, clock: SteppedClock
) -> None:
    taking, told = arrivals(deployment, user, folder, clock, AN_HOUR), Told()
    path = folder / "a.md"
    path.write_text(policy_text("A"))
    postponed = taking.take_in([Notice(str(folder))], told.tell)
    assert postponed == [Notice(str(path))]
    clock.at += AN_HOUR / 2
    path.write_text(policy_text("B"))
    assert taking.take_in(postponed, told.tell) == postponed
    clock.at += AN_HOUR - 1
    assert taking.take_in(postponed, told.tell) == postponed
    assert told.outcomes == []
    clock.at += 1
    assert taking.take_in(postponed, told.tell) == []
    assert told.of(str(path)) == ["queued"]


def test_a_pass_tells_only_what_is_new_and_an_event_tells_everything(
    deployment: Deployment, user: UserId, folder: Path, clock: SteppedClock
) -> None:
    taking, told = arrivals(deployment, user, folder, clock), Told()
    names = {"good": folder / "a.md", "wrong": folder / "b.pdf", "skipped": folder / "c.tmp"}
    for path in names.values():
        path.write_text(policy_text("A"))
    for _ in range(2):
        taking.take_in([Notice(str(folder))], told.tell)
    assert told.counts == {"queued": 1, "type_mismatch": 1}
    taking.take_in([Notice(str(path)) for path in names.values()], told.tell)
    assert told.counts == {"queued": 1, "unchanged": 1, "type_mismatch": 2, "temporary_file": 1}


def test_a_file_that_is_wrong_in_another_way_is_told_again(
    deployment: Deployment, user: UserId, folder: Path, clock: SteppedClock
) -> None:
    taking, told = arrivals(deployment, user, folder, clock), Told()
    path = folder / "b.pdf"
    for content in (b"text", b"%PDF-1.7", b"text"):
        path.write_bytes(content)
        taking.take_in([Notice(str(folder))], told.tell)
    assert told.of(str(path)) == ["type_mismatch", "queued", "type_mismatch"]


def test_documents_stay_while_their_folder_may_only_be_out_of_sight(
    deployment: Deployment, user: UserId, folder: Path, clock: SteppedClock
) -> None:
    taking, told = arrivals(deployment, user, folder, clock), Told()
    (folder / "a.md").write_text(policy_text("A"))
    taking.take_in([Notice(str(folder))], told.tell)
    folder.rename(folder.with_name("away"))
    for _ in range(2):
        taking.take_in([Notice(str(folder))], told.tell)
    folder.mkdir()
    for _ in range(2):
        taking.take_in([Notice(str(folder))], told.tell)
    assert told.of(str(folder)) == ["path_missing", "prune_suspicious"]
    assert deployment.documents.counts()["documents"] == 1
    folder.rmdir()
    folder.with_name("away").rename(folder)
    taking.take_in([Notice(str(folder))], told.tell)
    assert told.counts["queued"] == 1


def test_what_was_below_a_folder_that_went_is_pruned(
    deployment: Deployment, user: UserId, folder: Path, clock: SteppedClock
) -> None:
    taking, told = arrivals(deployment, user, folder, clock), Told()
    (folder / "part").mkdir()
    for path in (folder / "a.md", folder / "part/b.md"):
        path.write_text(policy_text(path.stem))
    taking.take_in([Notice(str(folder))], told.tell)
    (folder / "part").rename(folder.with_name("elsewhere"))
    taking.take_in([Notice(str(folder / "part"))], told.tell)
    assert told.of(str(folder / "part/b.md")) == ["queued", "pruned"]
    assert deployment.documents.counts()["documents"] == 1


def test_metadata_that_arrives_after_its_file_describes_the_document(
    deployment: Deployment, user: UserId, folder: Path, clock: SteppedClock
) -> None:
    taking, told = arrivals(deployment, user, folder, clock), Told()
    path, sidecar = folder / "a.md", folder / "a.md.metadata.json"
    path.write_text(policy_text("A"))
    taking.take_in([Notice(str(path))], told.tell)
    sidecar.write_text('{"policy_number": "POL-1"}')
    taking.take_in([Notice(str(sidecar))], told.tell)
    known = deployment.intake_records.known_files(user, [str(path)])[str(path)]
    assert deployment.documents.metadata(known.acceptance.document_id) == {"policy_number": "POL-1"}
