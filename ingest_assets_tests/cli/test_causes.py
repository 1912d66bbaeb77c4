"""Failures are grouped by cause, and a cause is something to give a command."""

from datetime import timedelta

import pytest

from ingest_assets.domain.queue.retry_policy import RetryPolicy
from ingest_assets_tests.cli.failing_world import World, error_of
from ingest_assets_tests.documents import drain_all
from ingest_assets_tests.pipeline.test_failures import failing


def test_a_code_brings_back_waiting_documents_too_and_dead_letters_only_on_request(world: World) -> None:
    world.submit("dead.md")
    world.fail("timeout")
    world.submit("waiting.md")
    patient = RetryPolicy(first_delay=timedelta(hours=1), longest_delay=timedelta(hours=1))
    drain_all(failing(world.deployment, error_of("timeout"), 1).replacing(retry_policy=patient))
    job = world.deployment.documents.failed("timeout")[0]
    assert [(cause["count"], cause["waiting"]) for cause in world.ingest("status", "--failed")] == [(2, 1)]
    assert len(world.ingest("retry", "--code", "timeout", "--dead-letters")) == 1
    assert len(world.ingest("retry", "--code", "timeout")) == 1
    assert world.ingest("retry", "--code", "corrupt") == []
    assert "no such code" in world.ingest.read("retry", "--code", "tiemout")
    history = world.deployment.documents.history(job.document_id)
    assert history[-1].actor == "ingest retry"


def test_people_see_each_cause_once_with_its_command_on_a_line_of_its_own(world: World) -> None:
    assert world.ingest.read("status", "--failed") == "No document has failed.\n"
    for number in range(7):
        world.submit(f"{number}.md")
    world.fail("needs_ocr")
    lines = world.ingest.read("status", "--failed").splitlines()
    assert lines[0].startswith("needs_ocr: 7 dead letters, since ")
    assert "    ingest submit --code needs_ocr" in lines
    assert lines[-1] == "  and 2 more"
    assert sum(line.endswith(".md") for line in lines) == 5


@pytest.mark.parametrize(
    "arguments", [(), ("folder", "--code", "needs_ocr"), ("--code", "needs_ocr", "--prune")], ids=" ".join
)
def test_paths_or_a_document_or_a_code(world: World, arguments: tuple[str, ...]) -> None:
    assert "wrong_usage" in world.ingest.read("submit", *arguments)
