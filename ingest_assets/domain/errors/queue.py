"""What can go wrong between the queue and its workers."""

from ingest_assets.domain.errors.error import PermanentError, Problem, ResourceError, TransientError

PROBLEMS = {
    "claim_lost": Problem(
        ResourceError,
        "Another worker took this document over, or a newer version replaced it.",
        "You need not do anything: the worker that has it now finishes it.",
    ),
    "claimed_elsewhere": Problem(
        ResourceError,
        "Another worker is busy with this document.",
        "Wait until it has finished, or until its lease of {seconds} seconds has expired.",
    ),
    "crashed_worker": Problem(
        PermanentError,
        "Its worker was killed, crashed or fell silent {crashes} times while it worked on this document.",
        "Look into the worker's log, then replay the document.",
    ),
    "cancelled": Problem(PermanentError, "Somebody has cancelled it.", "Replay the document when it is wanted again."),
    "unknown_document": Problem(
        PermanentError, "There is no such document.", "Check the id; the document may have been deleted."
    ),
    "not_failed": Problem(
        PermanentError, "This document is not waiting for a retry.", "Check where the document stands."
    ),
    "not_queued": Problem(
        PermanentError, "No document that waits or is worked on is among these.", "Check where the documents stand."
    ),
    "not_finished": Problem(PermanentError, "No finished document is among these.", "Check where the documents stand."),
    "unexpected": Problem(
        TransientError,
        "An unexpected {error} happened in {place}.",
        "If it happens again, report it with the place in the code that is named here.",
    ),
    "deletion_incomplete": Problem(
        TransientError,
        "{found} things are left of the document: {place}.",
        "The deletion is tried again every hour; you may also repeat it now.",
    ),
    "content_missing": Problem(
        PermanentError, "The document's stored bytes are missing or damaged.", "Submit the file again."
    ),
}
