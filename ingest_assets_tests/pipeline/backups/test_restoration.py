"""What is restored goes on in its new place, and nothing but what was backed up comes there."""

import shutil
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.composition.backups import backups_in, make_restoration
from ingest_assets.domain.backups import KeptObject, object_line
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import OutageError, PermanentError, ResourceError
from ingest_assets.domain.queue.stages import State
from ingest_assets.pipeline.deletion import Deletion
from ingest_assets.pipeline.store_ownership import StoreOwnership
from ingest_assets.pipeline.stored_objects import folder_key
from ingest_assets.pipeline.telling import Tell
from ingest_assets_tests.backups import back_up, folder_of_newest, found_by, objects_of, restore
from ingest_assets_tests.contracts.backing_up_contract import NOW, manifest_for
from ingest_assets_tests.documents import (
    TEST,
    claim_one,
    drain_all,
    ingest,
    policy_text,
    status_of,
    submit,
    take_through,
)


def test_what_is_restored_has_the_documents_and_answers_as_before(
    deployment: Deployment, empty_place: Deployment, user: UserId, other_user: UserId, folder: Path
) -> None:
    ingest(deployment, user, policy_text("Dental"), "dental.md")
    ingest(deployment, other_user, policy_text("Zebra"), "zebra.md")
    back_up(deployment, folder)
    restored = restore(folder, empty_place)
    assert (restored.requeued, restored.deleted, restored.damaged) == (0, 0, ())
    assert empty_place.documents.counts() == deployment.documents.counts()
    for owner in (user, other_user):
        before = found_by(deployment, owner, "What does the insurer pay?")
        assert before
        assert found_by(empty_place, owner, "What does the insurer pay?") == before
    assert objects_of(empty_place) == objects_of(deployment)
    assert list(empty_place.integrity.findings()) == []


def test_what_was_in_work_is_queued_again_at_once_without_a_crash_and_finishes(
    deployment: Deployment, empty_place: Deployment, user: UserId, folder: Path
) -> None:
    waiting = submit(deployment, user, policy_text("Waiting"), "waiting.md", priority=-1).document_id
    held = submit(deployment, user, policy_text("Held"), "held.md").document_id
    job = claim_one(deployment)
    deployment.attempts.begin(job)
    take_through(deployment, job, "parsed_markdown", "chunks")
    back_up(deployment, folder)
    restored = restore(folder, empty_place)
    assert restored.requeued == 1
    status = status_of(empty_place, held)
    assert (status.state, status.crashes) == (State.QUEUED, 0)
    assert list(empty_place.integrity.findings()) == []
    assert drain_all(empty_place).done == 2
    for document_id in (waiting, held):
        assert status_of(empty_place, document_id).state is State.DONE
    assert list(empty_place.integrity.findings()) == []


def test_a_damaged_object_is_named_and_all_others_are_restored(
    deployment: Deployment, empty_place: Deployment, user: UserId, folder: Path
) -> None:
    damaged = ingest(deployment, user, policy_text("Damaged"), "damaged.md")
    ingest(deployment, user, policy_text("Whole"), "whole.md")
    back_up(deployment, folder)
    for path in (folder_of_newest(folder) / "objects" / folder_key(user, damaged)).iterdir():
        path.write_bytes(path.read_bytes()[::-1])
    assert restore(folder, empty_place).damaged == (damaged,)
    findings = list(empty_place.integrity.findings())
    assert {finding.document_ids for finding in findings} == {(damaged,)}
    assert len(objects_of(empty_place)) == 2


def test_a_damaged_dump_is_named_and_nothing_is_touched(
    deployment: Deployment, empty_place: Deployment, user: UserId, folder: Path, tmp_path: Path
) -> None:
    ingest(deployment, user, policy_text())
    back_up(deployment, folder)
    with (folder_of_newest(folder) / "database.dump").open("r+b") as dump:
        dump.seek(5000)
        dump.write(b"ruin")
    with pytest.raises(PermanentError, match=r"backup_damaged: The file database\.dump"):
        restore(folder, empty_place)
    assert not (tmp_path / "restored").exists()


@pytest.mark.parametrize("key", ["{0}/{0}/..", "{0}/{0}/../../../planted", "/planted", "{0}/planted"])
def test_a_list_of_objects_leads_nowhere_but_into_the_store(
    deployment: Deployment, empty_place: Deployment, folder: Path, tmp_path: Path, key: str
) -> None:
    backup_id, key = uuid4(), key.format(UUID(int=7))
    with backups_in(folder, deployment).making(backup_id) as new:
        (new.folder / "objects").mkdir()
        with (new.folder / "objects.jsonl").open("w") as listed:
            listed.write(object_line(KeptObject(key, 1, NOW, "0" * 64)))
        new.note([])
        new.finish(manifest_for(new, counts={"documents": 0, "objects": 1}))
    with pytest.raises(PermanentError, match=r"backup_damaged: The file objects\.jsonl"):
        restore(folder, empty_place)
    assert not list(tmp_path.rglob("planted"))


@pytest.mark.parametrize("moment", ["copying documents", "restoring the database", "finishing"])
def test_a_restoration_that_is_interrupted_can_be_repeated(
    deployment: Deployment, empty_place: Deployment, user: UserId, folder: Path, moment: str
) -> None:
    for number in range(4):
        ingest(deployment, user, policy_text(f"Subject {number}", 2), f"{number}.md")
    submit(deployment, user, policy_text("Held"), "held.md")
    claim_one(deployment)
    back_up(deployment, folder)
    restoration = make_restoration(empty_place)
    if moment == "finishing":
        restoration = replace(restoration, deletion=interrupt)
    with pytest.raises(KeyboardInterrupt):
        restoration.restore(backups_in(folder, empty_place).newest(), TEST, interrupting(moment, after=2))
    restored = restore(folder, empty_place)
    assert restored.requeued == 1
    assert empty_place.documents.counts()["documents"] == 5
    assert list(empty_place.integrity.findings()) == []
    with pytest.raises(PermanentError, match="place_not_empty"):
        restore(folder, empty_place)


def test_a_store_with_other_objects_is_refused_and_the_database_stays_empty(
    deployment: Deployment, empty_place: Deployment, user: UserId, folder: Path
) -> None:
    ingest(deployment, user, policy_text())
    back_up(deployment, folder)
    empty_place.sealed_objects.put("somebody's", b"bytes")
    with pytest.raises(PermanentError, match=r"place_not_empty: .* the document store is not empty"):
        restore(folder, empty_place)
    assert objects_of(empty_place) == {"somebody's": b"bytes"}
    assert empty_place.diagnosis.pending_migrations()


def test_the_store_of_another_database_is_refused(
    deployment: Deployment, other_deployment: Deployment, user: UserId, folder: Path
) -> None:
    ingest(deployment, user, policy_text())
    back_up(deployment, folder)
    with other_deployment.database.connection() as connection:
        connection.execute("RESET ROLE")
        connection.execute("UPDATE upload_pipeline.object_store SET store_id = gen_random_uuid()")
    store = other_deployment.settings.objects_folder
    store.mkdir(parents=True)
    shutil.copytree(deployment.settings.objects_folder / ".ingest-assets", store / ".ingest-assets")
    with pytest.raises(OutageError, match="store_mismatched"):
        restore(folder, other_deployment)


def test_a_backup_of_a_newer_schema_is_refused_by_name(
    deployment: Deployment, empty_place: Deployment, user: UserId, folder: Path
) -> None:
    back_up(deployment, folder)
    restoration = make_restoration(empty_place)
    newest = sorted(restoration.known)[-1]
    newer = folder_of_newest(folder) / "manifest.json"
    newer.write_text(newer.read_text().replace(newest, "9999_between_what_comes"))
    with pytest.raises(ResourceError, match=r"schema_newer: .* 9999_between_what_comes"):
        restore(folder, empty_place)


def test_the_restored_place_and_the_old_one_do_not_share_a_store(
    deployment: Deployment, empty_place: Deployment, user: UserId, folder: Path
) -> None:
    ingest(deployment, user, policy_text())
    back_up(deployment, folder)
    restore(folder, empty_place)
    for each in (deployment, empty_place):
        each.store_ownership.check()
    mixed = StoreOwnership(deployment.objects, empty_place.store_ownership.database)
    with pytest.raises(OutageError, match="store_mismatched"):
        mixed.check()


def test_the_former_deployment_is_forgotten(
    deployment: Deployment, empty_place: Deployment, user: UserId, folder: Path
) -> None:
    deployment.instances.renew("the former Dagster")
    back_up(deployment, folder)
    restore(folder, empty_place)
    assert empty_place.instances.others() == []
    empty_place.instances.renew("another Dagster")
    assert not empty_place.instances.is_contested()


def interrupting(moment: str, after: int) -> Tell:
    """Interrupts what is under way at this moment, once so much is done."""

    def tell(step: str, done: int, total: int) -> None:
        if step == moment and done >= (after if total else 0):
            raise KeyboardInterrupt

    return tell


def interrupt() -> Deletion:
    raise KeyboardInterrupt
