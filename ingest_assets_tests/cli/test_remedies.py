"""For every error that a document can end with: what helps is known, and the command that is named does it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest_assets.adapters.parsers.local import LocalParser, ParserLimits
from ingest_assets.cli.doctor.findings import remedy_of
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import CATALOGUE, PermanentError, ResourceError
from ingest_assets.domain.errors.remedies import NEEDS_SOMEBODY, OF_NO_DOCUMENT, REMEDIES, Remedy
from ingest_assets_tests.cli.failing_world import PATIENT, World, error_of
from ingest_assets_tests.cli.test_hints import QUOTED
from ingest_assets_tests.documents import drain_all, ingest, policy_text, submit
from ingest_assets_tests.domain.test_errors import FACTS, WORDS
from ingest_assets_tests.sample_files import pdf

SOMEBODY_ELSES = {"claim_lost"}
"""With this code, nothing becomes of the document here: the worker that has it now decides."""


def test_every_code_has_a_remedy_or_is_of_no_document() -> None:
    assert set(CATALOGUE) == set(REMEDIES) | OF_NO_DOCUMENT
    assert not set(REMEDIES) & OF_NO_DOCUMENT


@pytest.mark.parametrize("code", sorted(REMEDIES))
def test_what_the_world_lacks_is_waited_for(code: str) -> None:
    if issubclass(CATALOGUE[code].error, ResourceError):
        assert REMEDIES[code] is Remedy.WAIT


def test_for_every_code_the_command_that_explain_names_brings_the_document_back(world: World) -> None:
    ids = world.submit_one_for(sorted(set(REMEDIES) - SOMEBODY_ELSES))
    world.fail()
    explained = {code: world.ingest("explain", document_id) for code, document_id in ids.items()}
    world.correct_the_files()
    for code, each in explained.items():
        assert (each["code"], each["searchable"]) == (code, False)
        assert each["cause"].startswith(error_of(code).message)
        waits = issubclass(CATALOGUE[code].error, ResourceError)
        assert each["waiting_helps"] is (waits and code not in NEEDS_SOMEBODY), code
        assert ("Waiting helps" in each["cause"]) is each["waiting_helps"], code
        world.ingest.run(each["fix"])
    drain_all(world.deployment)
    assert world.ingest("status")["searchable"] == len(ids)
    assert all("fix" not in world.ingest("explain", document_id) for document_id in ids.values())


def test_for_every_code_one_command_brings_all_its_documents_back(world: World) -> None:
    codes = sorted(set(REMEDIES) - SOMEBODY_ELSES)
    ids = [world.submit_one_for(codes, number) for number in range(2)]
    world.fail()
    causes = {cause["code"]: cause for cause in world.ingest("status", "--failed")}
    assert set(causes) == set(codes)
    world.correct_the_files()
    for code, cause in causes.items():
        waiting = 2 if issubclass(CATALOGUE[code].error, ResourceError) else 0
        assert (cause["count"], cause["waiting"]) == (2, waiting)
        assert set(cause["documents"]) == {str(some[code]) for some in ids}
        world.ingest.run(cause["fix"])
    drain_all(world.deployment)
    assert world.ingest("status", "--failed") == []
    assert world.ingest("status")["searchable"] == 2 * len(codes)


def test_for_every_code_that_needs_another_file_the_same_one_is_unchanged_and_the_person_is_told(world: World) -> None:
    ids = world.submit_one_for([code for code in sorted(REMEDIES) if REMEDIES[code] is Remedy.CORRECT])
    world.fail()
    for code, document_id in ids.items():
        explained = world.ingest("explain", document_id)
        assert "First change the file" in explained["cause"]
        for command in (explained["fix"], f"ingest submit --document {document_id}", f"ingest submit --code {code}"):
            [again] = world.ingest.run(command)
            assert (again["status"], again["code"], again["document_id"]) == ("unchanged", code, str(document_id))
            assert "change the file" in again["hint"]
            assert str(document_id) in again["hint"]


def test_other_dead_letters_submitted_again_are_told_to_be_retried(world: World) -> None:
    document_id = world.submit()
    world.fail("timeout")
    [again] = world.ingest("submit", *world.texts)
    assert (again["status"], again["code"]) == ("unchanged", "timeout")
    assert f"`ingest retry {document_id}`" in again["hint"]


def test_stored_bytes_that_are_gone_come_back_with_the_same_file(world: World) -> None:
    document_id = world.submit()
    for path in world.deployment.settings.objects_folder.rglob("*"):
        if path.is_file():
            path.unlink()
    drain_all(world.deployment)
    explained = world.ingest("explain", document_id)
    assert explained["code"] == "content_missing"
    [again] = world.ingest.run(explained["fix"])
    assert again["status"] == "new_version"
    assert world.is_searchable(document_id)


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"damaged")], ids=["gone", "damaged"])
def test_bytes_of_a_searchable_document_come_back_with_the_same_file(
    world: World, damage: Callable[[Path], object]
) -> None:
    document_id = world.submit()
    assert world.is_searchable(document_id)
    [content] = (path for path in stored_files(world) if path.suffix != ".md")
    damage(content)
    [finding] = world.deployment.integrity.findings()
    remedy = remedy_of(finding)
    assert remedy is not None
    [command] = QUOTED.findall(remedy)
    assert "delete" not in command
    world.ingest.run(command)
    assert list(world.deployment.integrity.findings()) == []
    assert world.is_searchable(document_id)


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"damaged")], ids=["gone", "damaged"])
def test_the_text_of_a_searchable_document_is_made_again(world: World, damage: Callable[[Path], object]) -> None:
    document_id = world.submit()
    assert world.is_searchable(document_id)
    [text] = (path for path in stored_files(world) if path.suffix == ".md")
    damage(text)
    [finding] = world.deployment.integrity.findings()
    remedy = remedy_of(finding)
    assert remedy is not None
    [command] = QUOTED.findall(remedy)
    assert "delete" not in command
    world.ingest.run(command)
    assert world.is_searchable(document_id)
    assert list(world.deployment.integrity.findings()) == []


def stored_files(world: World) -> list[Path]:
    return [path for path in world.deployment.settings.objects_folder.rglob("*") if path.is_file()]


def test_a_copy_elsewhere_also_brings_bytes_back(world: World, user: UserId) -> None:
    document_id = world.submit()
    world.fail("content_missing")
    copy = world.folder / "copy.md"
    copy.write_text(next(iter(world.texts.values())))
    [again] = world.ingest("submit", copy)
    assert (again["status"], again["document_id"]) == ("new_version", str(document_id))
    assert world.is_searchable(document_id)


def test_a_stored_text_that_is_gone_is_parsed_again(world: World) -> None:
    document_id = world.submit()
    drain_all(failing_embedder(world.deployment))
    [text] = world.deployment.settings.objects_folder.rglob("*.md")
    text.unlink()
    world.ingest("retry", document_id)
    assert world.is_searchable(document_id)


def failing_embedder(deployment: Deployment) -> Deployment:
    class Failing:
        model = deployment.embedder.model

        def embed(self, *_: object) -> None:
            raise PermanentError("service_refused", **FACTS, **WORDS)

        def __getattr__(self, name: str) -> Any:
            return getattr(deployment.embedder, name)

    return deployment.replacing(embedder=Failing())


def test_a_document_is_really_parsed_again_after_its_limit_was_raised(world: World, parser: LocalParser) -> None:
    path = world.folder / "policy.pdf"
    path.write_bytes(pdf("The insurer pays for dental care."))
    [submitted] = world.ingest("submit", path)
    hasty = LocalParser(ParserLimits(seconds=0.01))
    while world.deployment.backlog.waiting(1):
        drain_all(world.deployment.replacing(parser=hasty, retry_policy=PATIENT))
    hasty.close()
    explained = world.ingest("explain", submitted["document_id"])
    assert explained["code"] == "timeout"
    assert "INGEST_PARSE_SECONDS" in explained["cause"]
    world.ingest.run(explained["fix"])
    assert world.is_searchable(submitted["document_id"])
    stages = [line["stage"] for line in world.ingest("explain", submitted["document_id"])["history"]]
    assert stages.count("parsed") == 1


def test_a_document_of_several_files_is_submitted_with_all_of_them(world: World) -> None:
    document_id = world.submit("Dental.md")
    copy = world.folder / "Copy of Dental.md"
    copy.write_text(world.texts[world.folder / "Dental.md"])
    world.ingest("submit", copy)
    world.fail("needs_ocr")
    fix = world.ingest("explain", document_id)["fix"]
    assert fix == f"ingest submit --document {document_id}"
    world.correct_the_files()
    copy.write_text("Another text.")
    assert {each["status"] for each in world.ingest.run(fix)} == {"queued", "new_version"}
    assert world.is_searchable(document_id)


def test_what_came_over_http_can_be_removed_or_sent_again(world: World, user: UserId) -> None:
    document_id = submit(world.deployment, user, policy_text(), source="http:5f4e").document_id
    world.fail("corrupt")
    explained = world.ingest("explain", document_id)
    assert explained["fix"] == f"ingest delete {document_id}"
    assert "from the same source" in explained["cause"]
    refused = world.ingest.read("submit", "--document", document_id)
    assert "not_from_a_file" in refused
    assert "ingest delete" in refused


def test_nothing_that_searches_find_is_removed_to_fix_its_newer_version(world: World, user: UserId) -> None:
    document_id = ingest(world.deployment, user, policy_text())
    submit(world.deployment, user, policy_text("Other"))
    world.fail("corrupt")
    explained = world.ingest("explain", document_id)
    assert "An older version is still searchable." in explained["cause"]
    assert not explained["fix"].startswith("ingest delete")


def test_a_command_for_somebody_elses_document_names_its_owner(
    world: World, other_user: UserId, user: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = world.write("Dental.md")
    [submitted] = world.ingest("submit", path, "--user", other_user)
    world.fail("needs_ocr")
    explained = world.ingest("explain", submitted["document_id"], "--user", other_user)
    assert explained["fix"].endswith(f" --user {other_user}")
    [cause] = world.ingest("status", "--failed", "--user", other_user)
    assert cause["fix"] == f"ingest submit --code needs_ocr --user {other_user}"
    world.correct_the_files()
    assert [each["status"] for each in world.ingest.run(cause["fix"])] == ["new_version"]
    assert world.is_searchable(submitted["document_id"])


def test_an_operator_submits_the_files_of_all_users_at_once(
    world: World, user: UserId, other_user: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    for owner in (user, other_user):
        world.ingest("submit", world.write(f"{owner}.md"), "--user", owner)
    world.fail("needs_ocr")
    monkeypatch.delenv("INGEST_USER_ID")
    world.correct_the_files()
    assert [each["status"] for each in world.ingest("submit", "--code", "needs_ocr")] == ["new_version"] * 2
