"""A document that is deleted is gone from every place, whatever happens on the way; its history stays, as ids."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from ingest_assets.adapters.postgres.spending.paid_calls import CostLimits, PostgresPaidCalls
from ingest_assets.adapters.postgres.spending.remote_jobs import PostgresRemoteJobs
from ingest_assets.adapters.postgres.spending.webhook_log import PostgresWebhookLog
from ingest_assets.adapters.providers import LLAMAPARSE
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, Producer, UserId
from ingest_assets.domain.errors import IngestError, OutageError, TransientError
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.domain.spending.costs import Usage
from ingest_assets.pipeline.stored_objects import arrived_content_key, folder_key
from ingest_assets.settings import Settings
from ingest_assets_tests.contracts.deleting_contract import age
from ingest_assets_tests.documents import TEST, ingest, move, policy_text, submit, take_through

Delete = Callable[[Deployment], None]
STEPS = ("deletions.delete", "objects.delete_below", "deletions.traces", "deletions.confirm")


class PoweredOffError(BaseException):
    """Nothing runs any more, no clean-up either."""


class Interrupted:
    """Passes everything on; powers off before or after one of its methods."""

    def __init__(self, inner: Any, step: str, *, after: bool) -> None:
        self._inner, self._step, self._after = inner, step, after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name != self._step:
            return method

        def last(*arguments: Any) -> None:
            if self._after:
                method(*arguments)
            raise PoweredOffError

        return last


@pytest.fixture
def document_id(deployment: Deployment, user: UserId) -> DocumentId:
    """With something of it in every place: committed, a second version in the buffers, at a service, called back."""
    document_id = ingest(deployment, user, policy_text("Zebra"))
    submit(deployment, user, policy_text("Zebra") + "One more sentence.")
    [job] = deployment.claims.claim("worker", 1, deployment.settings.lease)
    take_through(deployment, job, "parsed_markdown", "chunks")
    move(deployment, job, Stage.EMBEDDING)
    chunks = deployment.chunk_buffer.load(document_id)
    deployment.vector_buffer.reuse(job, [chunk.chunk_sha for chunk in chunks], deployment.embedder.model)
    remote_jobs, producer = PostgresRemoteJobs(deployment.database), Producer("llamaparse", "1")
    remote_jobs.prepare(job.document, producer)
    remote_jobs.remember(job.document, producer, "remote 1")
    log = PostgresWebhookLog(deployment.database, LLAMAPARSE.name)
    log.record(b"Zebra", "completed", document_id)
    with paid_calls(deployment).begin(LLAMAPARSE.name, Usage(pages=1), user, document_id) as call:
        call.settle(Usage(pages=1, request_id="remote 1"))
    return document_id


def paid_calls(deployment: Deployment) -> PostgresPaidCalls:
    return PostgresPaidCalls(deployment.database, deployment.clock, CostLimits(), lambda _: None, deployment.observer)


def delete(deployment: Deployment, document_id: DocumentId) -> None:
    deployment.deletion.delete(document_id, TEST)


def left_of(deployment: Deployment, document_id: DocumentId, user: UserId) -> dict[str, int]:
    return deployment.deletion.traces_of(document_id, user)


def interrupted(deployment: Deployment, step: str, *, after: bool) -> Deployment:
    port, method = step.split(".")
    ports: dict[str, Any] = {port: Interrupted(getattr(deployment, port), method, after=after)}
    return deployment.replacing(**ports)


def notes(url: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT document_id, user_id, erased_at IS NOT NULL FROM upload_pipeline.deleted_documents"
        ).fetchall()


def test_before_it_is_deleted_the_scan_finds_it_everywhere(
    deployment: Deployment, document_id: DocumentId, user: UserId
) -> None:
    left = left_of(deployment, document_id, user)
    assert left["objects"] == 4
    assert set(left) == {
        "document_chunk_buffer",
        "document_chunks",
        "document_sources",
        "document_vector_buffer",
        "documents",
        "objects",
        "paid_calls",
        "parse_jobs",
        "upload_jobs",
        "webhook_log",
    }


def test_a_deleted_document_leaves_ids_and_nothing_else(
    deployment: Deployment, document_id: DocumentId, user: UserId, database_url: str
) -> None:
    delete(deployment, document_id)
    assert left_of(deployment, document_id, user) == {}
    assert notes(database_url) == [(document_id, user, True)]
    last = deployment.documents.history(document_id)[-1]
    assert (last.code, last.actor, last.correlation_id, last.payload) == (
        "deleted",
        TEST.name,
        TEST.correlation_id,
        {"service_jobs": 1},
    )
    with psycopg.connect(database_url) as connection:
        calls = connection.execute("SELECT document_id, pages, request_id FROM upload_pipeline.paid_calls").fetchall()
    assert calls == [(document_id, 1, None)]


def test_other_documents_of_the_user_stay(deployment: Deployment, document_id: DocumentId, user: UserId) -> None:
    other = ingest(deployment, user, policy_text("Okapi"), "okapi.md")
    before = left_of(deployment, other, user)
    delete(deployment, document_id)
    assert left_of(deployment, other, user) == before


def test_deleting_again_succeeds_and_adds_nothing_to_the_history(
    deployment: Deployment, document_id: DocumentId
) -> None:
    delete(deployment, document_id)
    history = deployment.documents.history(document_id)
    delete(deployment, document_id)
    assert deployment.documents.history(document_id) == history


def test_what_never_existed_or_is_anothers_is_unknown(
    deployment: Deployment, document_id: DocumentId, user: UserId, other_user: UserId
) -> None:
    for unknown, owner in [(DocumentId(uuid4()), None), (DocumentId(uuid4()), user), (document_id, other_user)]:
        with pytest.raises(IngestError) as raised:
            deployment.deletion.delete(unknown, TEST, owner=owner)
        assert raised.value.code == "unknown_document"
    assert left_of(deployment, document_id, user)
    deployment.deletion.delete(document_id, TEST, owner=user)
    with pytest.raises(IngestError):
        deployment.deletion.delete(document_id, TEST, owner=other_user)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("resume", ["repeated", "scheduled"])
def test_a_deletion_that_is_cut_off_at_any_step_goes_on_where_it_was(
    deployment: Deployment,
    document_id: DocumentId,
    user: UserId,
    database_url: str,
    step: str,
    resume: str,
    *,
    after: bool,
) -> None:
    with pytest.raises(PoweredOffError):
        delete(interrupted(deployment, step, after=after), document_id)
    if resume == "scheduled" and (step, after) != (STEPS[0], False):  # before its first step nobody knows of it
        deployment.deletion.finish(TEST)
    else:
        delete(deployment, document_id)
    assert left_of(deployment, document_id, user) == {}
    assert notes(database_url) == [(document_id, user, True)]
    assert [event.code for event in deployment.documents.history(document_id)].count("deleted") == 1


def test_what_the_scan_still_finds_is_no_deletion(
    deployment: Deployment, document_id: DocumentId, user: UserId, database_url: str
) -> None:
    class LateWriter(Interrupted):
        """Somebody who did not know yet writes right after the bytes are gone."""

        def delete_below(self, prefix: str) -> int:
            count = int(self._inner.delete_below(prefix))
            self._inner.put(f"{prefix}/late", b"Zebra")
            return count

    late = deployment.replacing(objects=LateWriter(deployment.objects, "", after=False))
    with pytest.raises(TransientError) as raised:
        delete(late, document_id)
    assert (raised.value.code, raised.value.message) == (
        "deletion_incomplete",
        "1 things are left of the document: objects.",
    )
    assert notes(database_url) == [(document_id, user, False)]
    finished = late.deletion.finish(TEST)
    assert (finished.confirmed, finished.incomplete) == (0, 1)
    finished = deployment.deletion.finish(TEST)
    assert (finished.confirmed, finished.incomplete) == (1, 0)
    assert left_of(deployment, document_id, user) == {}


def test_what_a_worker_that_died_left_behind_is_found_a_day_later_once(
    deployment: Deployment, document_id: DocumentId, user: UserId, database_url: str
) -> None:
    delete(deployment, document_id)
    deployment.objects.put(arrived_content_key(user, document_id, "0" * 64), b"Zebra")
    assert deployment.deletions.to_finish(10) == []
    age(deployment, timedelta(hours=25))
    assert deployment.deletions.to_finish(10) == [document_id]
    deployment.deletion.finish(TEST)
    assert left_of(deployment, document_id, user) == {}
    assert deployment.deletions.to_finish(10) == []


def test_a_call_that_is_settled_after_the_deletion_keeps_no_id_of_the_service(
    deployment: Deployment, document_id: DocumentId, user: UserId
) -> None:
    with paid_calls(deployment).begin(LLAMAPARSE.name, Usage(pages=1), user, document_id) as call:
        delete(deployment, document_id)
        call.settle(Usage(pages=1, request_id="remote 2"))
    assert left_of(deployment, document_id, user) == {}


def test_a_store_that_does_not_answer_leaves_a_deletion_to_finish(
    deployment: Deployment, document_id: DocumentId, user: UserId, settings: Settings
) -> None:
    folder = settings.objects_folder / folder_key(user, document_id)
    folder.rename(folder.with_name("elsewhere"))
    folder.parent.chmod(0o700)
    folder.write_text("a file where a folder should be")
    with pytest.raises(OutageError) as raised:
        delete(deployment, document_id)
    assert raised.value.code == "storage_failed"
    assert deployment.documents.find(document_id) is None
    folder.unlink()
    folder.with_name("elsewhere").rename(folder)
    deployment.deletion.finish(TEST)
    assert left_of(deployment, document_id, user) == {}
