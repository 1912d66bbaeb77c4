"""Documents for the tests, and the shortest way to get them in."""

from datetime import timedelta
from threading import Event
from typing import Any

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Acceptance, DocumentId, UserId
from ingest_assets.domain.queue.jobs import Actor, Job, JobStatus
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.pipeline.attempts import FailedAttempt
from ingest_assets.pipeline.drain import DrainLimits, DrainTotals
from ingest_assets.pipeline.intake import IncomingFile
from ingest_assets.pipeline.slots import Slot, Slots

TEST = Actor("test", "a test")
LEASE = timedelta(seconds=30)
MAX_BYTES = 25 * 1024 * 1024


def policy_text(subject: str = "Emergency care", paragraphs: int = 12) -> str:
    """A Markdown policy; each paragraph differs from every other of this and other subjects."""
    lines = [f"# {subject} policy", ""]
    for number in range(paragraphs):
        if number % 4 == 0:
            lines += [f"## {subject}, part {number // 4 + 1}", ""]
        lines += [
            f"Clause {number} of {subject.lower()} says that the insurer pays {number * 10 + 50} percent of item "
            f"{number} after the deductible is met. "
            + f"Condition {number} applies to members of group {number}. "
            * 6,
            "",
        ]
    return "\n".join(lines)


def submit(
    deployment: Deployment,
    user: UserId,
    text: str | bytes,
    name: str = "policy.md",
    priority: int = 0,
    source: str | None = None,
) -> Acceptance:
    content = text.encode() if isinstance(text, str) else text
    file = IncomingFile(content, name, source or f"/documents/{name}", user, priority)
    return deployment.intake.receive(file, TEST)


def drain_all(deployment: Deployment, claim: str = "drain") -> DrainTotals:
    """Works off what can be claimed now."""
    return deployment.drain.run(claim, DrainLimits(idle=timedelta(0)), stop=Event(), report=lambda: None)


def ingest(deployment: Deployment, user: UserId, text: str | bytes, name: str = "policy.md") -> DocumentId:
    accepted = submit(deployment, user, text, name)
    drain_all(deployment)
    return accepted.document_id


def claim_one(deployment: Deployment, claim: str = "worker") -> Job:
    """Claim the job whose turn it is."""
    [job] = deployment.claims.claim(claim, 1, LEASE)
    return job


def status_of(deployment: Deployment, document_id: DocumentId) -> JobStatus:
    status = deployment.documents.status(document_id)
    assert status is not None
    return status


def attempt(deployment: Deployment, job: Job) -> bool:
    """Make one attempt at a held job, alone, and return whether its document became searchable."""
    attempts = deployment.attempts
    begun = attempts.begin(job)
    error = attempts.process(begun, a_slot())
    failed = attempts.commit([begun]) if error is None else [FailedAttempt(begun, error)]
    for each in failed:
        attempts.settle(each)
    return not failed


def a_slot() -> Slot:
    """Return a slot for one document that nobody else wants."""
    slot = Slots(1, freed=lambda: None).try_take(heavy=False)
    assert slot is not None
    return slot


def move(deployment: Deployment, job: Job, *stages: Stage) -> None:
    """Moves a held job on, as a step does that enters them."""
    deployment.steps["parsed_markdown"].enter(job, *stages)


def take_through(deployment: Deployment, job: Job, *assets: str) -> None:
    """Runs and stores the steps of these assets, one after the other."""
    values: dict[str, Any] = {}
    for asset in assets:
        step = deployment.steps[asset]
        values[asset] = step.run(job, *(values[each] for each in step.reads))
        step.store(job, values[asset])
