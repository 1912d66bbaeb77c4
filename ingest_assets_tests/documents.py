"""Documents for the tests, and the shortest way to get them in."""

from datetime import timedelta
from threading import Event

from ingest_assets.domain.documents.document import Acceptance, DocumentId, UserId
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.pipeline.drain import DrainLimits, DrainTotals, drain
from ingest_assets.pipeline.intake import receive
from ingest_assets.pipeline.services import Services

TEST = Actor("test", "a test")
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
    services: Services,
    user: UserId,
    text: str | bytes,
    name: str = "policy.md",
    priority: int = 0,
    source: str | None = None,
) -> Acceptance:
    return receive(
        text.encode() if isinstance(text, str) else text,
        name,
        source or f"/documents/{name}",
        user,
        documents=services.documents,
        objects=services.objects,
        max_bytes=MAX_BYTES,
        actor=TEST,
        priority=priority,
    )


def drain_all(services: Services, claim: str = "drain") -> DrainTotals:
    """Works off what can be claimed now."""
    return drain(services, claim, DrainLimits(idle=timedelta(0)), stop=Event(), report=lambda: None)


def ingest(services: Services, user: UserId, text: str | bytes, name: str = "policy.md") -> DocumentId:
    accepted = submit(services, user, text, name)
    drain_all(services)
    return accepted.document_id
