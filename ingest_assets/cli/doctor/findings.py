"""The one command that helps with each thing that `ingest doctor --deep` may find."""

from collections.abc import Mapping

from ingest_assets.cli.hints import filled_in
from ingest_assets.domain.integrity import Finding

DELETE = "Delete the document and submit its file again: `ingest delete DOCUMENT`"
AGAIN = "Make the version again from what is stored: `ingest refresh DOCUMENT`"
LOOK = "Look at the history, and report what happened between its lines: `ingest explain DOCUMENT`"
RETRY = "Queue the document again: `ingest retry DOCUMENT`"
RECOUNT = "Count the budgets again by the ledger: `ingest costs --recount`"

FINDING_REMEDIES: Mapping[str, str] = {
    "document_without_job": DELETE,
    "job_of_other_version": DELETE,
    "done_but_not_live": AGAIN,
    "lease_long_expired": "Let a worker take the documents back: `ingest drain`",
    "retry_too_far_ahead": RETRY,
    "dead_letter_without_reason": RETRY,
    "chunks_not_live": DELETE,
    "version_not_whole": AGAIN,
    "several_models": AGAIN,
    "vector_not_unit": DELETE,
    "buffer_of_done_job": AGAIN,
    "rows_of_other_user": DELETE,
    "budget_disagrees": RECOUNT,
    "illegal_history": LOOK,
    "history_ends_elsewhere": LOOK,
    "content_unreadable": "Store the file again from where it came: `ingest submit --document DOCUMENT`",
    "text_unreadable": AGAIN,
    "surplus_not_swept": "Let the daily sweep remove what is of no use: `ingest up`",
    "shown_unfinished": AGAIN,
    "shown_unknown": "Have Dagster forget the document: `ingest delete DOCUMENT`",
    "failure_hidden": RETRY,
}
"""By the invariant that does not hold."""


def remedy_of(finding: Finding) -> str | None:
    """Return what to do about a finding; its command names the first of the documents."""
    return filled_in(FINDING_REMEDIES.get(finding.kind), finding.document_ids[0] if finding.document_ids else None)
