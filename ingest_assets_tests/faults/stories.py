"""What commands and workers do to documents, each as a story that can be cut anywhere and told to its end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from threading import Event
from typing import Any
from uuid import uuid4

from ingest_assets.adapters.clock import SystemClock
from ingest_assets.adapters.postgres.spending.paid_calls import Wish
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Document, DocumentId, ParsedDocument, Producer, UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.jobs import Job
from ingest_assets.domain.queue.retry_policy import GiveUp, RetryAt
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.domain.spending.costs import Usage
from ingest_assets.domain.spending.providers import ProviderName
from ingest_assets.pipeline.attempts import Attempt, FailedAttempt
from ingest_assets.pipeline.drain import DrainLimits
from ingest_assets.pipeline.intake import IncomingFile
from ingest_assets.pipeline.outages import outlasting
from ingest_assets.pipeline.progress import PATIENCE_SECONDS
from ingest_assets.pipeline.steps import STEPS
from ingest_assets_tests.contracts.claiming_contract import CORRUPT
from ingest_assets_tests.documents import LEASE, TEST, a_slot, policy_text, submit
from ingest_assets_tests.faults.user_rows import Connection

WORKER = "worker"
OPENAI = ProviderName("openai")
PARSER = Producer("llamaparse", "1")
ALL = 10_000
ASSETS = tuple(step.asset for step in STEPS)
SILENCE = """UPDATE upload_pipeline.upload_jobs SET lease_expires_at = now() - interval '1 second'
WHERE state = 'working' AND user_id = %s"""
UNFINISHED = "SELECT FROM upload_pipeline.upload_jobs WHERE state NOT IN ('done', 'deadletter') AND user_id = %s"
JOBS = "SELECT stage, state, error_code, claimed_by FROM upload_pipeline.upload_jobs WHERE user_id = %s"
DUE = "UPDATE upload_pipeline.upload_jobs SET next_retry_at = now() WHERE state = 'retryable' AND user_id = %s"


@dataclass
class Scene:
    """One user's documents, and two ways to the database: one that may be cut, and one that never is."""

    cut: Deployment
    sure: Deployment
    admin: Connection
    user: UserId = field(default_factory=lambda: UserId(uuid4()))
    kept: dict[str, Any] = field(default_factory=dict)
    """What the beginning of a story leaves for its act."""

    def submit(self, name: str = "policy", text: str | None = None) -> DocumentId:
        return submit(self.sure, self.user, text or policy_text(name, 3), f"{name}.md").document_id

    def finished(self, name: str = "policy") -> DocumentId:
        document_id = self.submit(name)
        self.work_off()
        return document_id

    def claim(self, claim: str = WORKER, limit: int = 1) -> list[Job]:
        jobs = self.sure.claims.claim(claim, limit, LEASE)
        assert len(jobs) == limit
        return jobs

    def work_off(self) -> None:
        """Be everybody else: time passes, workers take back, claim and try again until nothing is left to do."""
        for _ in range(6):
            if not self._let_time_pass():
                return
            reclaim(self.sure)
            for job in self.sure.claims.claim("another worker", 9, LEASE):
                attempt(self.sure, job)
        raise AssertionError(f"the queue does not become empty: {self.admin.execute(JOBS, [self.user]).fetchall()}")

    def _let_time_pass(self) -> int:
        """Let leases expire and retries be due, and return how many documents are unfinished."""
        for statement in (SILENCE, DUE):
            self.admin.execute(statement, [self.user])
        return len(self.admin.execute(UNFINISHED, [self.user]).fetchall())


@dataclass(frozen=True)
class Story:
    """What is there before, what somebody does through connections that may break, and who does it again."""

    act: Callable[[Scene, Deployment], object]
    begin: Callable[[Scene], object] = lambda _: None
    is_repeated: bool = False
    """Whether a person repeats what failed; if not, workers see to the document."""
    goes_on: bool = False
    """Whether the worker has more to do after its connection broke."""
    again: Callable[[Scene, Deployment], object] | None = None
    """What somebody else does a second time, if it is not the same act."""
    may_end_as: str | None = None
    """Another story, whose rows this one may leave too."""


def reclaim(deployment: Deployment) -> None:
    """Take back what silent workers hold, as if the server had been up for long."""
    deployment.claims.reclaim(deployment.retry_policy.crashes, TEST)


def attempt(deployment: Deployment, *jobs: Job) -> None:
    """Take held jobs through all steps, and commit them together."""
    end(deployment, [deployment.attempts.begin(job) for job in jobs])


def end(deployment: Deployment, begun: Sequence[Attempt]) -> None:
    """Take attempts to their end as a drain run does: what it must not lose outlasts an outage."""
    attempts, clock = deployment.attempts, SystemClock()
    errors = [(each, attempts.process(each, a_slot())) for each in begun]
    failed = [FailedAttempt(each, error) for each, error in errors if error is not None]
    ready = [each for each, error in errors if error is None]
    if ready:
        failed += outlasting(lambda: attempts.commit(ready), clock)
    for each in failed:
        outlasting(partial(attempts.settle, each), clock)


def drain(deployment: Deployment) -> None:
    """Work as a drain run does that has little time."""
    limits = DrainLimits(idle=timedelta(0), duration=timedelta(milliseconds=300))
    deployment.drain.run(WORKER, limits, stop=Event(), report=lambda: None)


def slowly(deployment: Deployment, job: Job) -> None:
    """Take a job through all steps so slowly that each change is written at once."""
    attempt(deployment.replacing(clock=SlowClock(deployment.clock)), job)


@dataclass
class SlowClock:
    """Goes on for a second whenever it is read."""

    clock: Any
    passed: float = 0.0

    def seconds(self) -> float:
        self.passed += 1.0
        return float(self.clock.seconds()) + self.passed

    def now(self) -> Any:
        return self.clock.now()


@dataclass
class SetClock:
    """Stands still until somebody sets it."""

    clock: Any
    passed: float = 0.0

    def seconds(self) -> float:
        return self.passed

    def now(self) -> Any:
        return self.clock.now()


@dataclass
class WatchedParser:
    """Does something before it parses."""

    parser: Any
    first: Callable[[], object]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.parser, name)

    def parse(self, content: bytes, document: Document) -> ParsedDocument:
        self.first()
        parsed: ParsedDocument = self.parser.parse(content, document)
        return parsed


def shown_meanwhile(deployment: Deployment, job: Job) -> None:
    """Take a job through all steps; while it is parsed, its worker records where it stands."""
    clock = SetClock(deployment.clock)

    def show() -> None:
        clock.passed += 2 * PATIENCE_SECONDS
        shown.attempts.catch_up([begun])

    shown = deployment.replacing(clock=clock, parser=WatchedParser(deployment.parser, show))
    begun = shown.attempts.begin(job)
    end(shown, [begun])


def failing(deployment: Deployment, job: Job) -> None:
    """Take a job to where it cannot be parsed."""

    def fail() -> None:
        raise PermanentError("corrupt")

    attempt(deployment.replacing(parser=WatchedParser(deployment.parser, fail)), job)


def partition_run(deployment: Deployment, document_id: DocumentId, *assets: str, claim: str = WORKER) -> None:
    """Run and store these assets as one run of Dagster does; after a failure the others are left out."""
    for asset in assets:
        run_one(deployment, document_id, asset, claim=claim)


def run_one(deployment: Deployment, document_id: DocumentId, asset: str, *, claim: str = WORKER) -> None:
    """Run and store one asset of a longer run."""
    steps = deployment.partition_steps
    values = [steps.load(each, document_id) for each in steps.steps[asset].reads]
    steps.store(asset, document_id, claim, steps.run(asset, document_id, claim, *values), is_last=False)


def step(asset: str) -> Story:
    """Return the story of one step, whose change is written at once."""
    before = ASSETS[: ASSETS.index(asset)]

    def begin(scene: Scene) -> None:
        document_id = scene.submit()
        [scene.kept["job"]] = scene.claim()
        for each in before:
            run_one(scene.sure, document_id, each)
        scene.kept["document"] = document_id

    def act(scene: Scene, through: Deployment, claim: str = WORKER) -> None:
        run_one(through, scene.kept["document"], asset, claim=claim)

    return Story(act, begin, goes_on=True, again=partial(act, claim="another run"))


def held(scene: Scene) -> None:
    scene.submit()
    [scene.kept["job"]] = scene.claim()


def held_again(scene: Scene) -> None:
    """Hold a document whose earlier version is searchable."""
    scene.finished()
    scene.submit("policy", policy_text("Newer", 4))
    [scene.kept["job"]] = scene.claim()


def two_held(scene: Scene) -> None:
    for name in ("one", "two"):
        scene.submit(name)
    scene.kept["jobs"] = scene.claim(limit=2)


def kept(name: str, give: Callable[[Scene], object]) -> Callable[[Scene], None]:
    def begin(scene: Scene) -> None:
        scene.kept[name] = give(scene)

    return begin


def several_files(scene: Scene, through: Deployment) -> None:
    files = [IncomingFile(policy_text(name, 3).encode(), f"{name}.md", f"/{name}.md", scene.user) for name in "abc"]
    through.intake.take_in([through.intake.check(file) for file in files], TEST)


def told_dagster(scene: Scene, through: Deployment) -> None:
    with scene.sure.database.connection() as connection:  # the reservation of an earlier try has lapsed
        connection.execute("UPDATE upload_pipeline.upload_jobs SET telling_until = NULL")
    with through.reports.finished(ALL), through.reports.dead_letters(ALL):
        pass


def dead(scene: Scene) -> DocumentId:
    held(scene)
    scene.sure.claims.settle(scene.kept["job"], GiveUp(), CORRUPT, reported=False)
    return DocumentId(scene.kept["job"].document.document_id)


def silent(scene: Scene) -> None:
    """Leave a document with a worker that has fallen silent."""
    scene.submit()
    [job] = scene.sure.claims.claim("silent", 1, -LEASE)
    scene.sure.claims.begin([job])


def poisonous(scene: Scene) -> None:
    scene.submit()
    for _ in range(scene.sure.retry_policy.crashes - 1):
        [job] = scene.sure.claims.claim("silent", 1, -LEASE)
        scene.sure.claims.begin([job])
        reclaim(scene.sure)
    [job] = scene.sure.claims.claim("silent", 1, -LEASE)
    scene.sure.claims.begin([job])


def soon(scene: Scene) -> RetryAt:
    return RetryAt(scene.sure.clock.now() + timedelta(seconds=3))


COMMANDS: dict[str, Story] = {
    "submit": Story(lambda scene, through: submit(through, scene.user, policy_text("One", 3)), is_repeated=True),
    "submit several files": Story(several_files, is_repeated=True),
    "submit a copy": Story(
        lambda scene, through: submit(through, scene.user, policy_text("policy", 3), "copy.md"),
        lambda scene: scene.finished(),
        is_repeated=True,
    ),
    "submit a newer version": Story(
        lambda scene, through: submit(through, scene.user, policy_text("Newer", 4)),
        lambda scene: scene.finished(),
        is_repeated=True,
    ),
    "submit a newer version of a document in work": Story(
        lambda scene, through: submit(through, scene.user, policy_text("Newer", 4)), held, is_repeated=True
    ),
    "delete a finished document": Story(
        lambda scene, through: through.deletion.delete(scene.kept["document"], TEST),
        kept("document", Scene.finished),
        is_repeated=True,
    ),
    "delete a document in work": Story(
        lambda scene, through: through.deletion.delete(scene.kept["job"].document.document_id, TEST),
        held,
        is_repeated=True,
    ),
    "finish deletions": Story(
        lambda _, through: through.deletion.finish(TEST),
        lambda scene: scene.sure.deletions.delete(scene.finished(), TEST),
        is_repeated=True,
    ),
    "retry a dead letter": Story(
        lambda scene, through: through.operations.replay([scene.kept["document"]], TEST),
        kept("document", dead),
        is_repeated=True,
    ),
    "make a finished document again": Story(
        lambda scene, through: through.operations.refresh([scene.kept["document"]], TEST),
        kept("document", Scene.finished),
        is_repeated=True,
    ),
    "tell Dagster what ended": Story(
        told_dagster, lambda scene: (scene.finished("done"), dead(scene)), is_repeated=True
    ),
}
"""What people and schedules do. They repeat what failed."""

CLAIMS: dict[str, Story] = {
    "claim": Story(lambda _, through: through.claims.claim(WORKER, 1, LEASE), Scene.submit),
    "begin": Story(lambda scene, through: through.claims.begin([scene.kept["job"]]), held),
    "take a queued document": Story(
        lambda scene, through: through.claims.take(scene.kept["document"], "run", LEASE, Stage.JOB_VALIDATED),
        kept("document", Scene.submit),
    ),
    "take a finished document": Story(
        lambda scene, through: through.claims.take(scene.kept["document"], "run", LEASE, Stage.CHUNKING),
        kept("document", Scene.finished),
    ),
    "take a dead letter": Story(
        lambda scene, through: through.claims.take(scene.kept["document"], "run", LEASE, Stage.JOB_VALIDATED),
        kept("document", dead),
    ),
    "renew a lease": Story(lambda _, through: through.claims.renew(WORKER, LEASE), held),
    "settle for a retry": Story(
        lambda scene, through: through.claims.settle(scene.kept["job"], soon(scene), CORRUPT, reported=False), held
    ),
    "settle for good": Story(
        lambda scene, through: through.claims.settle(scene.kept["job"], GiveUp(), CORRUPT, reported=False), held
    ),
    "release": Story(lambda _, through: through.claims.release(WORKER), held),
    "take back from a silent worker": Story(lambda _, through: reclaim(through), silent),
    "give up a poisonous document": Story(lambda _, through: reclaim(through), poisonous),
}
"""What workers do to the queue."""

STEPS_ALONE = {f"the step {asset}": step(asset) for asset in ASSETS}


def paid_call(scene: Scene, through: Deployment) -> None:
    with through.paid_calls.begin(OPENAI, Usage(tokens=5, micro_usd=9), scene.user, scene.kept["document"]) as call:
        call.settle(Usage(tokens=4, micro_usd=7))


def reservation(scene: Scene, through: Deployment) -> None:
    """Begin a paid call that never comes back."""
    wish = Wish(OPENAI, Usage(tokens=5, micro_usd=9), scene.user, scene.kept["document"])
    through.paid_calls._reserve(wish)


def remote_job(*already: str, then: str) -> Story:
    """Return the story of one thing that is written down about a provider's job."""

    def write(scene: Scene, through: Deployment, what: str) -> None:
        jobs, document = through.remote_jobs, scene.kept["job"].document
        write_it: dict[str, Callable[[], object]] = {
            "prepare": lambda: jobs.prepare(document, PARSER),
            "remember": lambda: jobs.remember(document, PARSER, str(document.document_id)),
            "book": lambda: jobs.book(document, PARSER, str(document.document_id)),
            "complete": lambda: jobs.complete(str(document.document_id)),
            "forget": lambda: jobs.forget(document, PARSER, str(document.document_id)),
        }
        write_it[what]()

    def begin(scene: Scene) -> None:
        held(scene)
        for each in already:
            write(scene, scene.sure, each)

    return Story(lambda scene, through: write(scene, through, then), begin, is_repeated=True)


CALLS: dict[str, Story] = {
    "a paid call": Story(paid_call, kept("document", Scene.finished), may_end_as="a reservation"),
    "a reservation": Story(reservation, kept("document", Scene.finished)),
    "prepare a remote job": remote_job(then="prepare"),
    "remember a remote job": remote_job("prepare", then="remember"),
    "book a remote job": remote_job("prepare", "remember", then="book"),
    "a callback": remote_job("prepare", "remember", then="complete"),
    "forget a remote job": remote_job("prepare", "remember", then="forget"),
}
"""What workers write down about providers."""

ATTEMPTS: dict[str, Story] = {
    "a quick attempt": Story(lambda scene, through: attempt(through, scene.kept["job"]), held, goes_on=True),
    "a quick attempt at a newer version": Story(
        lambda scene, through: attempt(through, scene.kept["job"]), held_again, goes_on=True
    ),
    "a slow attempt": Story(lambda scene, through: slowly(through, scene.kept["job"]), held, goes_on=True),
    "a slow attempt at a newer version": Story(
        lambda scene, through: slowly(through, scene.kept["job"]), held_again, goes_on=True
    ),
    "an attempt that is shown meanwhile": Story(
        lambda scene, through: shown_meanwhile(through, scene.kept["job"]), held, goes_on=True
    ),
    "an attempt that fails": Story(
        lambda scene, through: failing(through, scene.kept["job"]),
        held,
        goes_on=True,
        may_end_as="settle for good",  # the failure counts, even if it is not recorded how far the document got
    ),
    "two attempts that are committed together": Story(
        lambda scene, through: attempt(through, *scene.kept["jobs"]), two_held, goes_on=True
    ),
    "a partition run of a finished document": Story(
        lambda scene, through: partition_run(through, scene.kept["document"], *ASSETS),
        kept("document", Scene.finished),
    ),
    "a drain run": Story(lambda _, through: drain(through), Scene.submit, goes_on=True),
}
"""What workers do to documents."""

STORIES = COMMANDS | CLAIMS | STEPS_ALONE | CALLS | ATTEMPTS
