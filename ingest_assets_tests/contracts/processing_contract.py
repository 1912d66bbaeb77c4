"""What the database must do for the steps: keep what they change, and give back what earlier ones left."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, EmbeddedBatch, Producer, StoredParse, UserId
from ingest_assets.domain.errors import PermanentError, ResourceError, TransientError
from ingest_assets.domain.queue.changes import Change, ChunkedDocument, Move, Version
from ingest_assets.domain.queue.jobs import Job
from ingest_assets.domain.queue.retry_policy import RetryAt
from ingest_assets.domain.queue.stages import Stage, State
from ingest_assets.pipeline.ports.processing import Changes, ChunkBuffer, Progress, VectorBuffer
from ingest_assets_tests.contracts.claiming_contract import LONG_AGO
from ingest_assets_tests.contracts.embedder_contract import DOCUMENT
from ingest_assets_tests.documents import (
    TEST,
    claim_one,
    ingest,
    policy_text,
    status_of,
    submit,
    take_through,
)

OTHER_MODEL = Producer("another model", "1")


def begun(deployment: Deployment, user: UserId, text: str | None = None, name: str = "policy.md") -> Job:
    submit(deployment, user, text or policy_text(), name)
    return claim_one(deployment)


def embedded(deployment: Deployment, user: UserId, text: str | None = None, name: str = "policy.md") -> Job:
    """Return a held job that only its commit is missing to."""
    job = begun(deployment, user, text, name)
    take_through(deployment, job, "parsed_markdown", "chunks", "embeddings")
    return job


def moved(deployment: Deployment, job: Job, *stages: Stage) -> Change:
    return Change(job, tuple(Move(stage, deployment.clock.seconds()) for stage in stages))


def batch_of(deployment: Deployment, shas: list[str], model: Producer = OTHER_MODEL) -> EmbeddedBatch:
    return EmbeddedBatch(tuple(shas), deployment.embedder.embed(shas, DOCUMENT), model, tokens=1)


def commit_of(deployment: Deployment, job: Job, chunks: int | None = None, model: Producer | None = None) -> Change:
    count = len(deployment.chunk_buffer.load(job.document.document_id)) if chunks is None else chunks
    version = Version(count, model or deployment.embedder.model)
    return replace(moved(deployment, job, Stage.EMBEDDED), version=version)


def lose(deployment: Deployment, job: Job) -> None:
    """Give the job to somebody else."""
    deployment.claims.release(job.claim, job.document.document_id)
    claim_one(deployment, "somebody else")


def stages_of(deployment: Deployment, job: Job) -> list[Stage]:
    """Return the stages that the worker's events show."""
    history = deployment.documents.history(job.document.document_id)
    return [event.stage for event in history if event.actor == job.claim]


def rows_of(deployment: Deployment, document_id: DocumentId) -> dict[str, str]:
    """Return the physical place of each committed chunk, by its hash."""
    with deployment.database.connection() as connection:
        statement = "SELECT chunk_sha, ctid::text FROM upload_pipeline.document_chunks WHERE document_id = %s"
        return {row["chunk_sha"]: row["ctid"] for row in connection.execute(statement, [document_id])}


class ChangesContract:
    """A suite gives the fixture `changes`: those of its deployment."""

    @pytest.fixture
    def changes(self, deployment: Deployment) -> Changes:
        raise NotImplementedError

    def test_a_job_moves_through_its_stages_with_an_event_for_each(
        self, changes: Changes, deployment: Deployment, user: UserId
    ) -> None:
        job = begun(deployment, user)
        changes.write_all([moved(deployment, job, Stage.JOB_VALIDATED, Stage.PARSING)], reported=False)
        assert stages_of(deployment, job) == [Stage.QUEUED, Stage.JOB_VALIDATED, Stage.PARSING]
        assert status_of(deployment, job.document.document_id).stage is Stage.PARSING

    def test_each_change_is_answered_with_its_last_payload_and_the_seconds_since_the_event_before(
        self, changes: Changes, deployment: Deployment, user: UserId
    ) -> None:
        first, second = (begun(deployment, user, policy_text(name), f"{name}.md") for name in "AB")
        now = deployment.clock.seconds() - 1
        told = Change(first, (Move(Stage.JOB_VALIDATED, now), Move(Stage.PARSING, now + 0.25, {"pages": 7})))
        untold = Change(second, (Move(Stage.JOB_VALIDATED, now),))
        assert changes.write_all([told, untold], reported=False) == [{"pages": 7, "seconds": 0.25}, {}]

    def test_changes_of_several_jobs_are_written_together_or_not_at_all(
        self, changes: Changes, deployment: Deployment, user: UserId
    ) -> None:
        kept, lost = (begun(deployment, user, policy_text(name), f"{name}.md") for name in "AB")
        lose(deployment, lost)
        both = [moved(deployment, job, Stage.JOB_VALIDATED) for job in (kept, lost)]
        with pytest.raises(ResourceError, match="claim_lost"):
            changes.write_all(both, reported=False)
        assert stages_of(deployment, kept) == [Stage.QUEUED]
        changes.write_all(both[:1], reported=False)
        assert stages_of(deployment, kept) == [Stage.QUEUED, Stage.JOB_VALIDATED]

    def test_of_whoever_lost_the_claim_nothing_is_kept(
        self, changes: Changes, deployment: Deployment, user: UserId
    ) -> None:
        job = embedded(deployment, user)
        document_id = job.document.document_id
        chunked = ChunkedDocument(deployment.chunk_buffer.load(document_id)[:1], deployment.chunking.chunker)
        parse = StoredParse("0" * 64, (0,), Producer("a parser", "1"))
        commit = commit_of(deployment, job)
        lose(deployment, job)
        before = deployment.documents.find(document_id), deployment.chunk_buffer.load(document_id)
        for change in (
            replace(moved(deployment, job, Stage.PARSING, Stage.PARSED), parse=parse),
            replace(moved(deployment, job, Stage.CHUNKING, Stage.CHUNKS_BUFFERED), chunked=chunked),
            Change(job, (), vectors=(batch_of(deployment, ["a sha"]),)),
            commit,
        ):
            with pytest.raises(ResourceError, match="claim_lost"):
                changes.write_all([change], reported=False)
        assert (deployment.documents.find(document_id), deployment.chunk_buffer.load(document_id)) == before
        assert deployment.vector_buffer.present(document_id, OTHER_MODEL) == set()
        assert status_of(deployment, document_id).live_version is None

    def test_a_version_is_searchable_at_once_and_its_job_is_done(
        self, changes: Changes, deployment: Deployment, user: UserId
    ) -> None:
        job = embedded(deployment, user)
        chunks = deployment.chunk_buffer.load(job.document.document_id)
        assert deployment.search.passages(user, "deductible", 3) == []
        changes.write_all([commit_of(deployment, job)], reported=False)
        assert deployment.search.passages(user, "deductible", 3)
        status = status_of(deployment, job.document.document_id)
        assert (status.stage, status.state, status.live_version) == (Stage.EMBEDDED, State.DONE, 1)
        assert (status.chunks, status.claimed_by) == (len(chunks), None)
        assert deployment.chunk_buffer.load(job.document.document_id) == chunks

    def test_chunks_that_did_not_change_keep_their_rows_and_the_others_are_replaced(
        self, changes: Changes, deployment: Deployment, user: UserId
    ) -> None:
        document_id = ingest(deployment, user, policy_text(paragraphs=20))
        before = rows_of(deployment, document_id)
        job = embedded(deployment, user, policy_text(paragraphs=20) + "\nThe walrus is covered.\n")
        wanted = {chunk.chunk_sha for chunk in deployment.chunk_buffer.load(document_id)}
        changes.write_all([commit_of(deployment, job)], reported=False)
        after = rows_of(deployment, document_id)
        assert after.keys() == wanted
        assert 0 < len(after.keys() & before.keys()) < len(after)
        assert all(after[sha] == before[sha] for sha in after.keys() & before.keys())
        assert deployment.vector_buffer.present(document_id, deployment.embedder.model) == wanted

    def test_an_incomplete_version_is_refused_and_leaves_what_searches_find(
        self, changes: Changes, deployment: Deployment, user: UserId
    ) -> None:
        document_id = ingest(deployment, user, policy_text())
        before = rows_of(deployment, document_id)
        job = embedded(deployment, user, policy_text() + "\nThe walrus is covered.\n")
        chunks = len(deployment.chunk_buffer.load(document_id))
        for incomplete in (
            commit_of(deployment, job, chunks + 1),
            commit_of(deployment, job, model=OTHER_MODEL),
        ):
            with pytest.raises(PermanentError, match="upstream_missing"):
                changes.write_all([incomplete], reported=False)
        assert rows_of(deployment, document_id) == before
        assert status_of(deployment, document_id).live_version == 1

    def test_a_version_may_come_with_its_chunks_and_vectors(
        self, changes: Changes, deployment: Deployment, user: UserId
    ) -> None:
        job = embedded(deployment, user)
        document_id = job.document.document_id
        chunks = deployment.chunk_buffer.load(document_id)
        other = replace(deployment.chunking.chunker, version="another")
        whole = replace(
            moved(deployment, job, Stage.CHUNKING, Stage.CHUNKS_BUFFERED, Stage.EMBEDDING, Stage.EMBEDDED),
            chunked=ChunkedDocument(chunks, other),
            vectors=(batch_of(deployment, [chunk.chunk_sha for chunk in chunks], OTHER_MODEL),),
            version=Version(len(chunks), OTHER_MODEL),
        )
        changes.write_all([whole], reported=False)
        assert deployment.chunk_buffer.load(document_id) == chunks
        assert deployment.vector_buffer.present(document_id, OTHER_MODEL) == {chunk.chunk_sha for chunk in chunks}

    def test_what_a_large_document_stores_renews_its_lease_because_nobody_else_could_meanwhile(
        self, changes: Changes, deployment: Deployment, user: UserId
    ) -> None:
        submit(deployment, user, policy_text())
        [job] = deployment.claims.claim("worker", 1, timedelta(0))
        take_through(deployment, job, "parsed_markdown", "chunks")
        assert deployment.claims.reclaim(3, TEST) == 0
        deployment.claims.settle(job, RetryAt(LONG_AGO), TransientError("timeout", seconds=1), reported=False)
        [job] = deployment.claims.claim("worker", 1, timedelta(0))
        chunks = deployment.chunk_buffer.load(job.document.document_id)
        batch = batch_of(deployment, [chunk.chunk_sha for chunk in chunks])
        changes.write_all([Change(job, (), vectors=(batch,))], reported=False)
        assert deployment.claims.reclaim(3, TEST) == 0

    @pytest.mark.parametrize("reported", [False, True])
    def test_what_is_done_is_reported_once_whatever_was_reported_of_it_before(
        self, changes: Changes, deployment: Deployment, user: UserId, *, reported: bool
    ) -> None:
        failed = begun(deployment, user)
        deployment.claims.settle(
            failed, RetryAt(LONG_AGO), TransientError("unexpected", error="OSError", place="a test"), reported=True
        )
        job = claim_one(deployment)
        take_through(deployment, job, "parsed_markdown", "chunks", "embeddings")
        changes.write_all([commit_of(deployment, job)], reported=reported)
        with deployment.reports.finished(9) as outcomes:
            assert [each.job_id for each in outcomes] == ([] if reported else [job.job_id])


class ProgressContract:
    """A suite gives the fixtures `progress_of`, and `see_to` where changes wait until somebody sees to them."""

    @pytest.fixture
    def progress_of(self, deployment: Deployment) -> Callable[[Job], Progress]:
        raise NotImplementedError

    @pytest.fixture
    def see_to(self) -> Callable[[Progress], None]:
        """Return what has all that was written so far reach the database."""
        return lambda _: None

    def test_changes_are_seen_in_their_order_and_with_their_payloads(
        self,
        progress_of: Callable[[Job], Progress],
        see_to: Callable[[Progress], None],
        deployment: Deployment,
        user: UserId,
    ) -> None:
        job = begun(deployment, user)
        progress = progress_of(job)
        progress.write(moved(deployment, job, Stage.JOB_VALIDATED))
        move_with_payload = Move(Stage.PARSING, deployment.clock.seconds(), {"pages": 7})
        progress.write(Change(job, (move_with_payload,)))
        see_to(progress)
        assert stages_of(deployment, job) == [Stage.QUEUED, Stage.JOB_VALIDATED, Stage.PARSING]
        last = deployment.documents.history(job.document.document_id)[-1]
        assert last.payload["pages"] == 7
        assert last.payload.keys() == {"pages", "seconds"}

    def test_the_answer_is_the_payload_of_the_last_event(
        self, progress_of: Callable[[Job], Progress], deployment: Deployment, user: UserId
    ) -> None:
        job = begun(deployment, user)
        moves = (Move(Stage.JOB_VALIDATED, 0.0, {"pages": 1}), Move(Stage.PARSING, 0.0, {"pages": 7, "model": "m"}))
        payload = progress_of(job).write(Change(job, moves))
        assert {name: value for name, value in payload.items() if name != "seconds"} == {"pages": 7, "model": "m"}

    def test_what_was_paid_for_is_kept_at_once(
        self, progress_of: Callable[[Job], Progress], deployment: Deployment, user: UserId
    ) -> None:
        job = embedded(deployment, user)
        batch = batch_of(deployment, ["0" * 64])
        assert progress_of(job).write(Change(job, (), vectors=(batch,), is_paid=True)) == {}
        assert deployment.vector_buffer.present(job.document.document_id, OTHER_MODEL) == {"0" * 64}

    def test_whoever_lost_the_claim_is_told(
        self,
        progress_of: Callable[[Job], Progress],
        see_to: Callable[[Progress], None],
        deployment: Deployment,
        user: UserId,
    ) -> None:
        job = begun(deployment, user)
        progress = progress_of(job)
        lose(deployment, job)
        with pytest.raises(ResourceError, match="claim_lost"):  # noqa: PT012  at once, or when it is seen to
            progress.write(moved(deployment, job, Stage.JOB_VALIDATED))
            see_to(progress)

    def test_paid_work_of_whoever_lost_the_claim_is_refused_at_once(
        self, progress_of: Callable[[Job], Progress], deployment: Deployment, user: UserId
    ) -> None:
        job = begun(deployment, user)
        progress = progress_of(job)
        lose(deployment, job)
        with pytest.raises(ResourceError, match="claim_lost"):
            progress.write(replace(moved(deployment, job, Stage.JOB_VALIDATED), is_paid=True))

    def test_an_incomplete_version_is_never_searchable(
        self,
        progress_of: Callable[[Job], Progress],
        see_to: Callable[[Progress], None],
        deployment: Deployment,
        user: UserId,
    ) -> None:
        job = embedded(deployment, user)
        progress = progress_of(job)
        try:
            progress.write(commit_of(deployment, job, model=OTHER_MODEL))
            see_to(progress)
        except PermanentError as error:
            assert error.code == "upstream_missing"  # noqa: PT017  one way refuses it, the other leaves it uncommitted
        assert status_of(deployment, job.document.document_id).live_version is None


class ChunkBufferContract:
    """A suite gives the fixture `chunk_buffer`: that of its deployment."""

    @pytest.fixture
    def chunk_buffer(self, deployment: Deployment) -> ChunkBuffer:
        raise NotImplementedError

    def test_a_document_without_chunks_lacks_what_comes_before(
        self, chunk_buffer: ChunkBuffer, deployment: Deployment, user: UserId
    ) -> None:
        document_id = submit(deployment, user, policy_text()).document_id
        with pytest.raises(PermanentError, match="upstream_missing"):
            chunk_buffer.load(document_id)

    def test_chunks_come_in_order_as_they_were_cut(
        self, chunk_buffer: ChunkBuffer, deployment: Deployment, user: UserId
    ) -> None:
        job = begun(deployment, user, policy_text(paragraphs=30))
        parsing, chunking = deployment.steps["parsed_markdown"], deployment.steps["chunks"]
        parsed = parsing.run(job)
        parsing.store(job, parsed)
        cut = chunking.run(job, parsed)
        chunking.store(job, cut)
        assert chunk_buffer.load(job.document.document_id) == list(cut)

    def test_the_chunks_of_a_version_under_way_come_before_the_committed_ones(
        self, chunk_buffer: ChunkBuffer, deployment: Deployment, user: UserId
    ) -> None:
        document_id = ingest(deployment, user, policy_text())
        committed = chunk_buffer.load(document_id)
        job = begun(deployment, user, policy_text() + "\nThe walrus is covered.\n")
        assert chunk_buffer.load(document_id) == committed
        take_through(deployment, job, "parsed_markdown", "chunks")
        assert "walrus" in chunk_buffer.load(document_id)[-1].text


class VectorBufferContract:
    """A suite gives the fixture `vector_buffer`: that of its deployment."""

    @pytest.fixture
    def vector_buffer(self, deployment: Deployment) -> VectorBuffer:
        raise NotImplementedError

    def test_vectors_that_the_user_has_paid_for_are_taken_over(
        self, vector_buffer: VectorBuffer, deployment: Deployment, user: UserId
    ) -> None:
        first = ingest(deployment, user, policy_text())
        known = [chunk.chunk_sha for chunk in deployment.chunk_buffer.load(first)]
        job = begun(deployment, user, policy_text("Dental"), "dental.md")
        model, second = deployment.embedder.model, job.document.document_id
        assert vector_buffer.reuse(job, [*known, "new"], model) == set(known)
        assert vector_buffer.present(second, model) == set(known)
        assert vector_buffer.reuse(job, ["new"], model) == set()
        assert vector_buffer.reuse(job, known[:1], OTHER_MODEL) == set()

    def test_another_users_vectors_are_never_taken_over(
        self, vector_buffer: VectorBuffer, deployment: Deployment, user: UserId, other_user: UserId
    ) -> None:
        theirs = ingest(deployment, other_user, policy_text())
        known = [chunk.chunk_sha for chunk in deployment.chunk_buffer.load(theirs)]
        job = begun(deployment, user)
        assert vector_buffer.reuse(job, known, deployment.embedder.model) == set()
        assert vector_buffer.present(job.document.document_id, deployment.embedder.model) == set()

    def test_what_is_buffered_already_needs_no_embedding(
        self, vector_buffer: VectorBuffer, deployment: Deployment, user: UserId
    ) -> None:
        job = embedded(deployment, user)
        shas = [chunk.chunk_sha for chunk in deployment.chunk_buffer.load(job.document.document_id)]
        assert vector_buffer.reuse(job, shas, deployment.embedder.model) == set(shas)

    def test_whoever_lost_the_claim_takes_nothing_over(
        self, vector_buffer: VectorBuffer, deployment: Deployment, user: UserId
    ) -> None:
        first = ingest(deployment, user, policy_text())
        known = [chunk.chunk_sha for chunk in deployment.chunk_buffer.load(first)]
        job = begun(deployment, user, policy_text("Dental"), "dental.md")
        lose(deployment, job)
        with pytest.raises(ResourceError, match="claim_lost"):
            vector_buffer.reuse(job, known, deployment.embedder.model)
        assert vector_buffer.present(job.document.document_id, deployment.embedder.model) == set()

    def test_vectors_are_present_whether_buffered_or_committed(
        self, vector_buffer: VectorBuffer, deployment: Deployment, user: UserId
    ) -> None:
        job = embedded(deployment, user)
        document_id, model = job.document.document_id, deployment.embedder.model
        shas = {chunk.chunk_sha for chunk in deployment.chunk_buffer.load(document_id)}
        assert vector_buffer.present(document_id, model) == shas
        deployment.changes.write_all([commit_of(deployment, job)], reported=False)
        assert vector_buffer.present(document_id, model) == shas
        assert vector_buffer.present(document_id, OTHER_MODEL) == set()
