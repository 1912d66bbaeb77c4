"""What must hold of a deployment at every moment, whatever was killed or cut off, and what a breach of it is called.

To add an invariant, add a line to one of the tables below, what looks for its breaches (for `OF_ROWS` a query of the
same name in `sql/queries/integrity.sql`), and the command that helps, in `cli/findings.py`.
"""

from dataclasses import dataclass
from datetime import timedelta

from ingest_assets.domain.documents.document import DocumentId

SHOWN = 5
"""How many of the documents that break an invariant are named."""

FARTHEST_RETRY = timedelta(days=2)
"""Further ahead than any provider's request is granted: a retry at a later time comes from a wrong clock."""

SAMPLED_VECTORS = 20_000
"""About how many vectors are measured, because reading all of them would take many minutes."""


@dataclass(frozen=True, slots=True)
class Invariant:
    """Something that must hold, named after its breach."""

    name: str
    breach: str
    """What is wrong if it does not hold, as a sentence about one document or call."""


@dataclass(frozen=True, slots=True)
class Finding:
    """All breaches of one invariant: how many there are, and which documents some of them concern."""

    invariant: Invariant
    count: int
    document_ids: tuple[DocumentId, ...] = ()

    @property
    def kind(self) -> str:
        return self.invariant.name


OF_ROWS = (
    # Each accepted document is searchable in its newest version, in progress, waiting, or a dead letter with a reason.
    Invariant("document_without_job", "A document has no job, so nothing will ever work on it."),
    Invariant("job_of_other_version", "A document's job is not about the document's newest version."),
    Invariant("done_but_not_live", "A document's job is done, but searches do not find the newest version."),
    Invariant("lease_long_expired", "A worker fell silent while it held a document, and nobody has taken it back."),
    Invariant("retry_too_far_ahead", "A document waits for a retry at a time that no rule allows."),
    Invariant("dead_letter_without_reason", "A dead letter does not say why it failed and what to do about it."),
    # Readers see whole versions.
    Invariant("chunks_not_live", "Searches find chunks of a document that has never been committed."),
    Invariant("version_not_whole", "A live version lacks chunks, or has more of them than were committed."),
    Invariant("several_models", "A document's vectors are not all from one embedding model."),
    Invariant("vector_not_unit", "A chunk's vector is not of length one, so searches misjudge how near it is."),
    Invariant("buffer_of_done_job", "A finished document still has chunks or vectors in the buffers."),
    Invariant("rows_of_other_user", "A row of a document belongs to another user than the document does."),
    # The ledger.
    Invariant("budget_disagrees", "What is taken of a budget is not what its calls in the ledger reserve or cost."),
    # The audit trail.
    Invariant("illegal_history", "A document's history has a step that no worker and no command may make."),
    Invariant("history_ends_elsewhere", "A document's history does not end where its job is."),
)
"""What the rows of the database must keep to among themselves."""

CONTENT_UNREADABLE = Invariant("content_unreadable", "A document's stored bytes are missing or damaged.")
TEXT_UNREADABLE = Invariant("text_unreadable", "A document's parsed text is missing from the store or damaged.")
SURPLUS_NOT_SWEPT = Invariant(
    "surplus_not_swept", "The store holds an object that no document needs, and no sweep has removed it in time."
)

OF_STORE = (CONTENT_UNREADABLE, TEXT_UNREADABLE, SURPLUS_NOT_SWEPT)
"""What the object store must hold because rows say so, and nothing else for long."""

SHOWN_UNFINISHED = Invariant(
    "shown_unfinished", "Dagster does not show a finished document as materialized, although it was told."
)
SHOWN_UNKNOWN = Invariant("shown_unknown", "Dagster shows a materialized document that does not exist.")
FAILURE_HIDDEN = Invariant("failure_hidden", "Dagster does not show a dead letter as failed, although it was told.")

OF_DAGSTER = (SHOWN_UNFINISHED, SHOWN_UNKNOWN, FAILURE_HIDDEN)
"""What Dagster's partitions must agree with."""

INVARIANTS = OF_ROWS + OF_STORE + OF_DAGSTER
